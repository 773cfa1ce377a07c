"""A person corrects the fruits of a tray: real processes, the default model, real browser."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.drawn_tray import draw_tray_of
from tests.e2e.pages import (
    WIDTHS,
    choose_files,
    look,
    no_traceback,
    open_page,
    quiet,
)
from tests.processes import Running
from tests.synthetic_images import encode

LEAST_TARGET_PIXELS = 40
# The drawn box's left, top, right and bottom, in shares of the photo.
DRAWN = (0.33, 0.11, 0.57, 0.41)
TOLERANCE = 0.02


@pytest.fixture
def photo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A different file for each browser, since a photo has a single list of boxes."""
    quality = 90 + WIDTHS.index(request.node.callspec.params["sized_page"])
    path = tmp_path / "tray.jpg"
    path.write_bytes(encode(draw_tray_of(), "JPEG", quality=quality))
    return path


def test_corrections_are_saved(sized_page: Page, running: Running, photo: Path) -> None:
    page = sized_page
    size = page.viewport_size
    assert size is not None
    touch = size["width"] < 500
    open_page(page, running.ui_url, "")
    choose_files(page, photo)
    boxes = page.locator("[class*=st-key-box-] button")
    expect(boxes.first).to_be_visible()
    quiet(page)
    count = boxes.count()
    if count < 3:
        pytest.skip("the detector of the default model finds fewer than three of the drawn fruits")

    open_fruit(page, 1)
    dialog = page.get_by_role("dialog")
    look(page, "teach", "1-fruit", whole=False)
    dialog.get_by_text("No, it is …").click()
    choose(page, page.get_by_role("combobox", name="The right class"), "Rotten apple")
    look(page, "teach", "2-class", whole=False)
    page.get_by_role("button", name="Correct it").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".st-key-box-1 button")).to_have_accessible_name(
        "1 ✕ ✎ Rotten apple, corrected by you"
    )

    open_fruit(page, count)
    dialog.get_by_role("button", name="This is no fruit").click()
    expect(dialog).to_have_count(0)
    expect(boxes).to_have_count(count - 1)

    _add_missed(page, touch)
    expect(page.locator(f".st-key-box-{count + 1} button")).to_have_accessible_name(
        f"{count + 1} ✓ ✎ Fresh orange, added by you"
    )
    teach = page.locator(".st-key-teach")
    expect(teach).to_contain_text("1 corrected, 1 added, 1 removed")
    quiet(page)
    for button in teach.locator(".stButton button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST_TARGET_PIXELS, button.inner_text()
    look(page, "teach", "5-corrected")

    page.get_by_text("All fruits have a box").click()
    page.get_by_role("button", name="Save corrections").click()
    expect(teach).to_contain_text(f"{count} fruits")
    expect(teach.get_by_role("link", name="Retrain")).to_be_visible()
    look(page, "teach", "6-saved")
    no_traceback(page)
    _assert_stored(running, count)


def _add_missed(page: Page, touch: bool) -> None:
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add a fruit that was missed").click()
    expect(dialog).to_be_visible()
    look(page, "teach", "3-draw", whole=False)
    expect(page.get_by_role("button", name="Add this fruit")).to_be_disabled()
    _draw(page, touch)
    expect(page.get_by_role("button", name="Add this fruit")).to_be_enabled()
    choose(page, page.get_by_role("combobox", name="What is it?"), "Fresh orange")
    look(page, "teach", "4-drawn", whole=False)
    page.get_by_role("button", name="Add this fruit").click()
    expect(dialog).to_have_count(0)


def open_fruit(page: Page, number: int) -> None:
    page.locator(f".st-key-fruit-{number} button").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Fruit {number}")
    quiet(page)


def choose(page: Page, box: Locator, label: str) -> None:
    box.fill(label)
    page.get_by_role("option", name=label, exact=True).click()
    quiet(page)


def _draw(page: Page, touch: bool) -> None:
    """Drag over DRAWN with the mouse or a finger."""
    plot = page.locator(".st-key-drawing .nsewdrag").bounding_box()
    assert plot is not None
    left, top, right, bottom = DRAWN
    x, y = plot["x"], plot["y"]
    start = (x + left * plot["width"], y + top * plot["height"])
    end = (x + right * plot["width"], y + bottom * plot["height"])
    path = [
        (start[0] + share * (end[0] - start[0]) / 8, start[1] + share * (end[1] - start[1]) / 8)
        for share in range(9)
    ]
    if touch:
        _drag_finger(page, path)
    else:
        page.mouse.move(*path[0])
        page.mouse.down()
        for point in path[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def _drag_finger(page: Page, path: list[tuple[float, float]]) -> None:
    session = page.context.new_cdp_session(page)
    for place, (x, y) in enumerate(path):
        kind = "touchMove" if place else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _assert_stored(running: Running, count: int) -> None:
    """The newest boxed photo has what the person said, and none of the model's grades."""
    answer = httpx.get(f"{running.api_url}/dataset/boxed-photos", timeout=30, trust_env=False)
    stored: dict[str, Any] = answer.json()["boxed_photos"][0]
    assert (stored["complete"], len(stored["boxes"])) == (True, count)
    classes = [fruit["class_name"] for fruit in stored["boxes"]]
    assert sorted(name for name in classes if name) == ["freshoranges", "rottenapples"]
    box = stored["boxes"][classes.index("freshoranges")]["box"]
    width, height = stored["width"], stored["height"]
    edges = (
        box["x_min"] / width,
        box["y_min"] / height,
        box["x_max"] / width,
        box["y_max"] / height,
    )
    assert edges == pytest.approx(DRAWN, abs=TOLERANCE)
