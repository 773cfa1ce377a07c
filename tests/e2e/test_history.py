"""A grader works through a batch in the history, in a real browser with real processes."""

import io
import re
from pathlib import Path

import httpx
import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.pages import (
    choose_files,
    downloaded,
    look,
    no_traceback,
    open_page,
    quiet,
)
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode

KINDS = ("freshapples", "freshbanana", "rottenapples", "freshoranges")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"history-{number}.jpg" for number in range(len(KINDS))]
    for number, (path, kind) in enumerate(zip(paths, KINDS, strict=True)):
        path.write_bytes(encode(draw_fruit(kind, seed=40 + number, size=400), "JPEG"))
    return paths


def test_batch_is_worked_through(
    sized_page: Page, browser: Browser, running: Running, photos: list[Path]
) -> None:
    page = sized_page
    batch_id = _grade_many(page, running, photos)

    # The table survives a reload, and a second browser shows it too.
    page.reload()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_text("From the history")).to_be_visible()
    look(page, "history", "1-batch")
    assert _photos_in_workbook(page, "batch_xlsx") == len(photos)
    page.get_by_role("link", name="Open them one by one in the history").click()
    rows = page.locator(".st-key-history-rows .stButton button")
    expect(rows).to_have_count(len(photos))
    assert f"batch={batch_id}" in page.url
    quiet(page)
    assert _photos_in_workbook(page, "history_xlsx") == len(photos)
    look(page, "history", "2-rows")

    # Step from photo to photo with the keyboard.
    rows.first.click()
    expect(_opened(page, photos[-1])).to_be_visible()
    quiet(page)
    for path in (photos[-2], photos[-3]):
        page.keyboard.press("ArrowRight")
        expect(_opened(page, path)).to_be_visible()
        quiet(page)
    page.keyboard.press("ArrowLeft")
    expect(_opened(page, photos[-2])).to_be_visible()
    quiet(page)
    look(page, "history", "3-opened")
    prediction_id = page.url.partition("prediction=")[2].partition("&")[0]
    _dismiss_and_undo(page, running, prediction_id)

    # The photo's address shows it in another browser.
    other = browser.new_page()
    other.goto(f"{running.ui_url}/history?prediction={prediction_id}")
    expect(_opened(other, photos[-2])).to_be_visible()
    no_traceback(other)
    other.close()


def _photos_in_workbook(page: Page, key: str) -> int:
    """The rows of the workbook's sheet of photos, without the header."""
    return int(openpyxl.load_workbook(io.BytesIO(downloaded(page, key)))["Photos"].max_row) - 1


def _opened(page: Page, photo: Path) -> Locator:
    """The caption of an opened photo, which begins with the name; in the list it ends with it."""
    return page.get_by_text(re.compile(rf"^{re.escape(photo.name)} ·"))


def _grade_many(page: Page, running: Running, photos: list[Path]) -> str:
    """Grade the photos on the Predict page, and return the batch's id from the URL."""
    open_page(page, running.ui_url, "")
    page.get_by_text("Many photos").click()
    expect(page.get_by_text("No photos yet")).to_be_visible()
    quiet(page)
    choose_files(page, photos)
    page.get_by_role("button", name=f"Grade {len(photos)} files").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    quiet(page)
    return page.url.partition("batch=")[2]


def _dismiss_and_undo(page: Page, running: Running, prediction_id: str) -> None:
    url = f"/predictions/{prediction_id}"
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as api:
        page.get_by_role("button", name="Dismiss: not a fruit").click()
        expect(page.get_by_text("It is not asked about again")).to_be_visible()
        assert api.get(url).json()["dismissed_at"]
        page.locator(".st-key-feedback").get_by_role("button", name="Undo").click()
        expect(page.get_by_text("It is not asked about again")).to_have_count(0)
        assert api.get(url).json()["dismissed_at"] is None
