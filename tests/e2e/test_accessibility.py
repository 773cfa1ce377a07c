"""axe-core finds no serious accessibility fault on any page, wide and narrow, light and dark."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.pages import PAGES, SIZES, choose_files, open_page, quiet
from tests.e2e.parts import each_part
from tests.ui import fake_tray
from tests.ui.app_pages import test_boxed_photos as boxed
from tests.ui.fake_api import Answer, FakeApi

HEIGHT = 900
BAD = ("serious", "critical")
# All widths and colour schemes, with only one change from each to the next.
ROUND = (SIZES[1], SIZES[0], SIZES[2], SIZES[3])
_RUN = "() => axe.run({resultTypes: ['violations']}).then(found => found.violations)"
# Colours fade when the scheme changes.
_STILL = "() => document.getAnimations().every(one => one.playState !== 'running')"

Look = Callable[[str], None]


@pytest.fixture
def look(page: Page) -> Iterator[Look]:
    """Checks the page in its current state, in all sizes; faults fail the test at its end."""
    found: dict[str, str] = {}

    def note(state: str) -> None:
        for width, scheme in ROUND:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.emulate_media(color_scheme=scheme)
            quiet(page)
            page.wait_for_function(_STILL)
            for fault in faults(page):
                found.setdefault(fault, f"{state}, {width} {scheme}")

    yield note
    assert not found, "\n".join(f"{where}: {fault}" for fault, where in found.items())


def faults(page: Page) -> Iterator[str]:
    """A line for each element with a serious fault: the rule, the element, and what is wrong."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE_SCRIPT)
    for violation in page.evaluate(_RUN):
        if violation["impact"] in BAD:
            for node in violation["nodes"]:
                summary = " ".join(node["failureSummary"].split())
                yield f"{violation['id']}: {node['html'][:200]}: {summary}"


def drop(page: Page, photo: bytes, *names: str) -> None:
    files = [FilePayload(name=name, mimeType="image/jpeg", buffer=photo) for name in names]
    choose_files(page, files)


def close_dialog(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_one_photo(page: Page, hostile_url: str, photo: bytes, look: Look) -> None:
    open_page(page, hostile_url, "")
    look("nothing graded")
    drop(page, photo, "apple.jpg")
    expect(page.get_by_role("button", name="Yes, it is right")).to_be_visible()
    look("graded")
    page.get_by_role("button", name="No, it is").click()
    expect(page.get_by_role("combobox", name="The right class")).to_be_visible()
    look("corrected")


def test_tray(page: Page, hostile_url: str, hostile_api: FakeApi, photo: bytes, look: Look) -> None:
    hostile_api.first["/predict"].append(Answer(fake_tray.tray_answer(fake_tray.TRAY)))
    open_page(page, hostile_url, "")
    drop(page, photo, "tray.jpg")
    expect(page.locator(".st-key-box-1 button")).to_be_visible()
    look("tray")
    page.locator(".st-key-fruit-1 button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("fruit")
    page.get_by_role("dialog").get_by_text("This is no fruit").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Add a fruit that was missed").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("missed fruit")


def test_many_photos(page: Page, hostile_url: str, photo: bytes, look: Look) -> None:
    open_page(page, hostile_url, "")
    page.get_by_text("Many photos").click()
    expect(page.get_by_text("No photos yet")).to_be_visible()
    quiet(page)
    drop(page, photo, "a.jpg", "b.jpg")
    page.get_by_role("button", name="Grade 2 files").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    look("batch")


def test_inspections(page: Page, hostile_url: str, look: Look) -> None:
    open_page(page, hostile_url, "inspections")
    look("list")
    page.get_by_text("New inspection").click()
    expect(page.get_by_role("button", name="Open the inspection")).to_be_visible()
    look("new")
    page.get_by_role("button", name="Open", exact=True).last.click()
    fruit = page.locator("[class*=st-key-lot-fruit-] button").first
    expect(fruit).to_be_visible()
    look("lot")
    fruit.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("fruit")
    close_dialog(page)
    page.locator("[class*=st-key-lot_photo_] button").filter(visible=True).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("photo")


def test_history(page: Page, hostile_url: str, look: Look) -> None:
    open_page(page, hostile_url, "history")
    look("list")
    page.locator(".st-key-history_0 button").click()
    expect(page.locator(".st-key-history-photo")).to_be_visible()
    look("photo")


def test_boxed_photos(
    page: Page, hostile_url: str, hostile_api: FakeApi, photo: bytes, look: Look
) -> None:
    hostile_api.answers |= {
        boxed.LIST: Answer(boxed.PAGE),
        f"{boxed.LIST}/{boxed.PHOTO_ID}": Answer(boxed.PHOTO),
        f"{boxed.LIST}/{boxed.PHOTO_ID}/photograph": Answer(photo, content_type="image/jpeg"),
    }
    open_page(page, hostile_url, "training_data")
    page.get_by_text("With boxes", exact=True).click()
    expect(page.locator(".st-key-photos img")).to_be_visible()
    look("with boxes")


@pytest.mark.parametrize("address", list(PAGES)[3:])
def test_page_and_its_parts(address: str, page: Page, hostile_url: str, look: Look) -> None:
    open_page(page, hostile_url, address)
    look(address)
    for part in each_part(page, address):
        look(f"{address}, {part}")
