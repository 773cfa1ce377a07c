"""A grader inspects a lot: real processes, the default model, real browser."""

import io
from pathlib import Path

import httpx
import openpyxl
import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.drawn_tray import draw_tray_of, rearranged
from tests.e2e.pages import (
    assert_fits_width,
    choose_files,
    downloaded,
    expect_title,
    look,
    no_traceback,
    open_page,
    quiet,
)
from tests.processes import Running
from tests.synthetic_images import encode

LEAST_TARGET_PIXELS = 40


@pytest.fixture(scope="module")
def trays(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three trays with some rot, and the first of them again from a little nearer."""
    folder = tmp_path_factory.mktemp("trays")
    images = [draw_tray_of(rearranged(turns), seed=turns) for turns in (0, 1, 3)]
    width, height = images[0].size
    images.append(images[0].crop((16, 10, width - 14, height - 12)))
    paths = [folder / f"tray-{number}.jpg" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(encode(image, "JPEG", quality=90))
    return paths


def test_a_lot_from_opening_to_the_report(
    sized_page: Page, running: Running, trays: list[Path]
) -> None:
    page = sized_page
    size = page.viewport_size
    assert size is not None
    lot = f"E2E {size['width']}"
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as api:
        _open_lot(page, running, lot)
        inspection_id = page.url.partition("inspection=")[2]
        url = f"/inspections/{inspection_id}"
        _add(page, trays)
        photos = api.get(f"{url}/photos").json()["photos"]
        counts = api.get(url).json()["counts"]
        if sum(counts.values()) < 6:
            pytest.skip("the detector of the default model finds fewer than six drawn fruits")
        look(page, "lot", "1-added")

        # The repeated tray is noticed, and counted once when the person says so.
        assert photos[0]["same_as"] == photos[3]["id"]
        page.locator("[class*=st-key-same_4_False] button").click()
        expect(page.locator("[class*=st-key-same_4_]")).to_have_count(0)
        counts = api.get(url).json()["counts"]
        assert sum(counts.values()) == sum(len(one["fruits"]) for one in photos[1:])

        _correct_two(page)
        corrected = api.get(url).json()
        said = [one["said"] for one in api.get(f"{url}/fruits?limit=200").json()["fruits"]]
        assert said.count("rotten") == 2

        # All of it survives a reload, and a second browser shows it too.
        page.reload()
        verdict = page.locator(".st-key-verdict")
        expect(verdict).to_contain_text(corrected["verdict"]["message"][:30])
        expect_title(page, f"Lot {lot}")
        look(page, "lot", "3-corrected")

        _find_again(page, lot)
        message = corrected["verdict"]["message"]
        pages = pypdf.PdfReader(io.BytesIO(downloaded(page, "report_pdf"))).pages
        text = " ".join(" ".join(one.extract_text() for one in pages).split())
        assert lot in text
        assert message in text
        book = openpyxl.load_workbook(io.BytesIO(downloaded(page, "report_xlsx")))
        assert book["Fruits"].max_row == 1 + sum(corrected["counts"].values())
        no_traceback(page)


def _open_lot(page: Page, running: Running, lot: str) -> None:
    open_page(page, running.ui_url, "inspections")
    form = page.get_by_test_id("stForm")
    if not form.is_visible():
        page.get_by_text("New inspection").click()
    form.get_by_label("Lot", exact=True).fill(lot)
    form.get_by_label("Supplier").fill("Hofgut Lindau")
    page.get_by_role("button", name="Open the inspection").click()
    expect_title(page, f"Lot {lot}")
    quiet(page)
    assert_fits_width(page)


def _add(page: Page, trays: list[Path]) -> None:
    choose_files(page, trays)
    page.get_by_role("button", name=f"Add {len(trays)} files").click()
    expect(page.get_by_text(f"{len(trays)} photos added")).to_be_visible()
    expect(page.locator("[class*=st-key-lot-fruit-] button").first).to_be_visible()
    quiet(page)


def _correct_two(page: Page) -> None:
    """Correct the first two fruits that the grader takes for fresh to rotten."""
    fresh = page.locator("[class*=st-key-lot-fruit-] button", has_text="✓")
    for number in range(2):
        fresh.first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("What is it?")
        expect(dialog.get_by_role("button", name="Rotten")).to_be_visible()
        quiet(page)
        for button in dialog.locator(".st-key-sayings button").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= LEAST_TARGET_PIXELS, button.inner_text()
        if not number:
            look(page, "lot", "2-fruit", whole=False)
        dialog.get_by_role("button", name="Rotten").click()
        expect(dialog).to_have_count(0)
        quiet(page)
        expect(page.get_by_text("Corrected by you")).to_have_count(number + 1)


def _find_again(page: Page, lot: str) -> None:
    """Find it in the list by a part of the lot's name."""
    page.get_by_role("button", name="All inspections").click()
    expect_title(page, "Inspections")
    search = page.get_by_label("Find by lot or supplier")
    search.fill(lot)
    search.press("Enter")
    expect(page.get_by_text("1 inspection", exact=True)).to_be_visible()
    quiet(page)
    assert_fits_width(page)
    page.get_by_role("button", name="Open", exact=True).click()
    expect_title(page, f"Lot {lot}")
    quiet(page)
