"""A person photographs a tray: real processes, the default model, real browser."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.drawn_tray import draw_tray_of
from tests.e2e.pages import (
    choose_files,
    look,
    no_traceback,
    open_page,
    quiet,
)
from tests.processes import Running
from tests.synthetic_images import encode

LEAST_TARGET_PIXELS = 40


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tray") / "tray.jpg"
    path.write_bytes(encode(draw_tray_of(), "JPEG", quality=92))
    return path


@pytest.fixture(scope="module")
def answer(running: Running, photo: Path) -> dict[str, Any]:
    response = httpx.post(
        f"{running.api_url}/predict?instances=true",
        files={"file": photo.read_bytes()},
        timeout=60,
        trust_env=False,
    )
    body: dict[str, Any] = response.json()
    if not body.get("several"):
        pytest.skip("the detector of the default model finds fewer than two of the drawn fruits")
    return body


def test_each_fruit_is_shown_and_opens(
    sized_page: Page, running: Running, photo: Path, answer: dict[str, Any]
) -> None:
    page = sized_page
    size = page.viewport_size
    assert size is not None
    count, rotten = len(answer["instances"]), answer["summary"]["by_level"]["rotten"]
    open_page(page, running.ui_url, "")
    choose_files(page, photo)
    heading = page.locator(".st-key-prediction").get_by_role("heading", level=2)
    expect(heading).to_contain_text(f"{count} fruits: ")
    if rotten:
        expect(heading).to_contain_text(f"{rotten} rotten")
    quiet(page)
    assert_boxes_lie_on_the_photo(page, answer)
    for button in page.locator(".st-key-prediction .stButton button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST_TARGET_PIXELS, button.inner_text()
    look(page, "tray", "1-graded")

    first = page.locator(".st-key-box-1 button")
    if rotten:
        expect(first).to_have_accessible_name(re.compile("1 ✕ Rotten"))
    if size["width"] < 500:
        first.tap()
    else:
        first.focus()
        page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Fruit 1")
    expect(dialog.locator(".js-plotly-plot")).to_be_visible()
    look(page, "tray", "2-fruit", whole=False)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    page.locator(".st-key-fruit-2 button").click()
    expect(dialog).to_contain_text("Fruit 2")
    no_traceback(page)


def assert_boxes_lie_on_the_photo(page: Page, answer: dict[str, Any]) -> None:
    """Check that each box is drawn at its place, allowing for the minimum size of a tap target."""
    photo = page.locator(".st-key-tray img").bounding_box()
    assert photo is not None
    drawn = [button.bounding_box() for button in page.locator(".st-key-tray button").all()]
    scale = photo["width"] / answer["image"]["width"]
    for fruit in answer["instances"]:
        x = photo["x"] + fruit["box"]["x_min"] * scale
        y = photo["y"] + fruit["box"]["y_min"] * scale
        assert any(box and abs(box["x"] - x) < 2 and abs(box["y"] - y) < 2 for box in drawn)
