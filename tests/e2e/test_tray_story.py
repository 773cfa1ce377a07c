"""A person's work with a tray, on a wide screen and on a phone: see the bad fruit among
the sound ones, open it, correct another, retrain, see it learned. Real processes, real browser.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.drawn_tray import TRAY, draw_tray_of, rearranged
from tests.e2e.browser import chromium
from tests.e2e.conftest import WITHOUT_BROWSER
from tests.e2e.pages import (
    PHONE,
    choose_files,
    is_phone,
    look,
    no_traceback,
    open_page,
    quiet,
    visit,
)
from tests.e2e.test_story import retrain, served, wait_until_served
from tests.e2e.test_teach import choose, open_fruit
from tests.processes import Running, running_everything
from tests.synthetic_images import encode

LEAST_TARGET_PIXELS = 40
TOLERANCE_PIXELS = 1
WRONG, RIGHT = "freshoranges", "rottenoranges"


class Tray(NamedTuple):
    """A photo, and the response of `POST /predict?instances=true` for it."""

    photo: Path
    answer: dict[str, Any]


@pytest.fixture(scope="module")
def grader() -> Iterator[Running]:
    """A separate service, since the runs of other tests would change what is found on the tray."""
    if chromium() is None:
        pytest.skip(WITHOUT_BROWSER)
    with running_everything() as running:
        yield running


@pytest.fixture(scope="module")
def api(grader: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=grader.api_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def tray(api: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Tray:
    """A tray with a rotten orange and a sound one, which the catalog does not hold out."""
    folder = tmp_path_factory.mktemp("tray")
    for turns in range(len(TRAY)):
        photo = folder / f"tray-{turns}.jpg"
        photo.write_bytes(encode(draw_tray_of(rearranged(turns)), "JPEG", quality=90))
        files = {"file": photo.read_bytes()}
        answer = api.post("/predict?instances=true", files=files).json()
        classes = [fruit["predicted_class"] for fruit in answer["instances"]]
        if classes.count(RIGHT) != 1 or WRONG not in classes:
            continue
        if is_learned(api, answer["prediction_id"]):
            return Tray(photo, answer)
    pytest.skip("the default model finds no sound beside a rotten orange on the drawn trays")


@pytest.fixture
def version(api: httpx.Client, tray: Tray) -> Iterator[str]:
    """The version in use, which is restored afterwards; the boxed photos are removed."""
    before = served(api)
    yield before
    if api.get("/dataset/boxed-photos").json()["total"]:
        forget(api)
    if served(api) != before:
        api.post(f"/models/{before}/promote").raise_for_status()
        wait_until_served(api, before)


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of each width; the narrow one has a touch screen."""
    width = request.param
    context = browser.new_context(
        color_scheme="light",
        viewport={"width": width, "height": 900},
        has_touch=width < PHONE,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def test_tray_is_graded_corrected_and_learned(
    page: Page, grader: Running, api: httpx.Client, tray: Tray, version: str
) -> None:
    count, rotten = len(tray.answer["instances"]), tray.answer["summary"]["by_level"]["rotten"]
    open_page(page, grader.ui_url, "")
    drop(page, tray.photo)
    expect(headline(page)).to_contain_text(f"{count} fruits: {rotten} rotten")
    boxes = page.locator("[class*=st-key-box-] button")
    expect(boxes).to_have_count(count)
    quiet(page)
    assert_worst_first(page, count, rotten)
    assert_can_be_tapped(boxes)
    look(page, "tray-story", "1-graded")

    worst = page.locator(".st-key-box-1 button")
    if is_phone(page):
        worst.tap()
    else:
        worst.focus()
        page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Fruit 1: Rotten orange")
    look(page, "tray-story", "2-worst", whole=False)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    correct_a_sound_orange(page)
    expect(headline(page)).to_contain_text(f"{count} fruits: {rotten + 1} rotten")
    look(page, "tray-story", "3-corrected")
    page.get_by_text("All fruits have a box").click()
    page.get_by_role("button", name="Save corrections").click()
    to_retrain = page.locator(".st-key-teach").get_by_role("link", name="Retrain")
    expect(to_retrain).to_be_visible()
    [stored] = api.get("/dataset/boxed-photos").json()["boxed_photos"]

    to_retrain.click()
    candidate = retrain(page, api)
    assert candidate != version
    wait_until_served(api, candidate)
    look(page, "tray-story", "4-retrained")
    assert grade_at(api, tray, stored) == RIGHT
    open_menu(page)
    visit(page, "Predict", "")
    drop(page, tray.photo)
    expect(page.locator(".st-key-prediction")).to_contain_text(candidate)
    # The other sound orange looks the same, and may now be graded rotten too.
    expect(page.locator(f".st-key-box-{rotten + 1} button")).to_have_accessible_name(
        re.compile(f"^{rotten + 1} ✕ Rotten orange")
    )
    look(page, "tray-story", "5-learned")
    no_traceback(page)


def drop(page: Page, photo: Path) -> None:
    """Choose a photo in place of an earlier one."""
    choose_files(page, photo)


def headline(page: Page) -> Locator:
    return page.locator(".st-key-prediction").get_by_role("heading", level=2)


def assert_worst_first(page: Page, count: int, rotten: int) -> None:
    """Check that the rotten fruits come first, by sign and name, on the photo and in the list."""
    for kind in ("box", "fruit"):
        for number in range(1, count + 1):
            sign = "✕ Rotten" if number <= rotten else "[✓!?] "
            button = page.locator(f".st-key-{kind}-{number} button")
            expect(button).to_have_accessible_name(re.compile(f"^{number} {sign}"))


def assert_can_be_tapped(boxes: Locator) -> None:
    """Check that no box is too small for a thumb, and that nothing covers its middle."""
    for box in boxes.all():
        box.scroll_into_view_if_needed()
        place = box.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= LEAST_TARGET_PIXELS - TOLERANCE_PIXELS
        assert box.evaluate(
            "e => { const b = e.getBoundingClientRect(); return e.contains(document"
            ".elementFromPoint(b.left + b.width / 2, b.top + b.height / 2)); }"
        ), box.inner_text()


def correct_a_sound_orange(page: Page) -> None:
    """Correct the first fresh orange to rotten."""
    orange = page.locator("[class*=st-key-fruit-]").get_by_role(
        "button", name=re.compile("Fresh orange")
    )
    number = re.search(r"\d+", orange.first.inner_text())
    assert number is not None
    open_fruit(page, int(number[0]))
    page.get_by_role("dialog").get_by_text("No, it is …").click()
    choose(page, page.get_by_role("combobox", name="The right class"), "Rotten orange")
    page.get_by_role("button", name="Correct it").click()
    expect(page.locator(f".st-key-box-{number[0]} button")).to_have_accessible_name(
        f"{number[0]} ✕ ✎ Rotten orange, corrected by you"
    )


def open_menu(page: Page) -> None:
    """Open the menu, which is closed at first on a phone."""
    if is_phone(page):
        page.get_by_test_id("stExpandSidebarButton").click()


def grade_at(api: httpx.Client, tray: Tray, stored: dict[str, Any]) -> str:
    """The current grade of the fruit whose class was corrected."""
    files = {"file": tray.photo.read_bytes()}
    answer = api.post("/predict?instances=true", files=files).json()
    [corrected] = [fruit["box"] for fruit in stored["boxes"] if fruit["class_name"]]
    scale = answer["image"]["width"] / stored["width"]
    x = scale * (corrected["x_min"] + corrected["x_max"]) / 2
    y = scale * (corrected["y_min"] + corrected["y_max"]) / 2
    [grade] = [
        fruit["predicted_class"]
        for fruit in answer["instances"]
        if fruit["box"]["x_min"] < x < fruit["box"]["x_max"]
        and fruit["box"]["y_min"] < y < fruit["box"]["y_max"]
    ]
    return str(grade)


def is_learned(api: httpx.Client, prediction_id: str) -> bool:
    """Whether boxes of this photo are learned: the catalog's secret holds out some photos with all
    their copies. There are no boxed photos before or after."""
    body = {"boxes": [], "complete": True}
    api.put(f"/predictions/{prediction_id}/boxes", json=body).raise_for_status()
    return bool(forget(api)["split"] == "train")


def forget(api: httpx.Client) -> dict[str, Any]:
    """Remove the one boxed photo, and return it."""
    [stored] = api.get("/dataset/boxed-photos").json()["boxed_photos"]
    api.delete(f"/dataset/boxed-photos/{stored['id']}").raise_for_status()
    found: dict[str, Any] = stored
    return found
