"""A person removes and relabels training photos, and takes it back."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages import SIZES, assert_fits_width, no_traceback, open_page, quiet, screenshot
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode

CLASS = "quince"


@pytest.fixture
def names(running: Running) -> list[str]:
    """Of three photos of a class of their own."""
    files = [
        ("files", (f"quince{seed}.jpg", encode(draw_fruit("rottenoranges", seed), "JPEG")))
        for seed in (71, 72, 73)
    ]
    url = f"{running.api_url}/upload-training-data"
    answer = httpx.post(url, data={"class_name": CLASS}, files=files, trust_env=False, timeout=60)
    assert answer.json()["uploaded_count"] == 3, answer.text
    return [name for _, (name, _) in files]


def images(running: Running) -> dict[str, dict[str, Any]]:
    """The images of the three names, without their times."""
    url = f"{running.api_url}/dataset/images"
    found = httpx.get(url, params={"limit": 200}, trust_env=False).json()["images"]
    return {
        image["filename"]: {name: value for name, value in image.items() if name != "created_at"}
        for image in found
        if image["filename"].startswith(CLASS)
    }


def opened(page: Page, running: Running) -> None:
    open_page(page, running.ui_url, "training_data")
    page.get_by_text("Gallery", exact=True).click()
    expect(page.get_by_role("button", name="Choose all shown")).to_be_visible()
    quiet(page)
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name=CLASS.capitalize(), exact=True).click()
    page.get_by_role("button", name="Choose all shown").click()
    expect(page.get_by_text("3 chosen")).to_be_visible()
    quiet(page)


def test_removed_and_relabelled_photos_come_back(
    browser: Browser, running: Running, names: list[str]
) -> None:
    before = images(running)
    assert sorted(before) == names
    for width, scheme in SIZES[::3]:
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        page = context.new_page()
        opened(page, running)

        page.get_by_role("button", name="Relabel").click()
        page.get_by_role("combobox", name="The right class of 3 photos").fill("medlar")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Relabel").last.click()
        expect(page.get_by_text("3 photos relabelled: Medlar.")).to_be_visible()
        assert {image["class_name"] for image in images(running).values()} == {"medlar"}
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("3 photos relabelled back.")).to_be_visible()
        assert images(running) == before

        opened(page, running)
        page.get_by_role("button", name="Remove", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("can be put back for 7 days")
        dialog.get_by_text("Delete for good").click()
        expect(dialog).to_contain_text("cannot be brought back")
        dialog.get_by_text("Delete for good").click()
        expect(dialog).to_contain_text("can be put back for 7 days")
        dialog.get_by_role("button", name="Remove 3 photos").click()
        expect(page.get_by_text("3 photos removed.")).to_be_visible()
        quiet(page)
        screenshot(page, f"undo-{width}-{scheme}")
        assert_fits_width(page)
        assert images(running) == {}
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("3 photos put back.")).to_be_visible()
        assert images(running) == before
        no_traceback(page)
        context.close()
