"""A person removes and relabels training photos, and undoes both."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import (
    SIZES,
    assert_fits_width,
    expect_title,
    no_traceback,
    open_page,
    quiet,
    screenshot,
)
from tests.processes import Running
from tests.synthetic_images import draw_fruit, encode

CLASS = "quince"


@pytest.fixture
def names(running: Running) -> list[str]:
    """The names of three photos that have a class to themselves."""
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
    page: Page, running: Running, names: list[str]
) -> None:
    before = images(running)
    assert sorted(before) == names
    for width, scheme in SIZES[::3]:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
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


def test_removed_photos_and_inspections_come_back(page: Page, running: Running) -> None:
    """A photo is restored at once, an inspection after a reload."""
    with httpx.Client(base_url=running.api_url, timeout=60, trust_env=False) as api:
        lot = api.post("/inspections", json={"lot": "Undone", "supplier": "", "kind": ""}).json()
        url = f"/inspections/{lot['id']}"
        photos = {f"{seed}.jpg": encode(draw_fruit("freshapples", seed), "JPEG") for seed in (8, 9)}
        files = [("files", photo) for photo in photos.items()]
        assert len(api.post(f"{url}/photos", files=files).json()["added"]) == 2
        before = api.get(f"{url}/photos").json()

        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(f"{running.ui_url}/inspections?inspection={lot['id']}")
        expect_title(page, "Lot Undone")
        quiet(page)
        for undone in ("at once", "after a reload"):
            page.locator(".st-key-lot_photo_1 button:visible").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_role("button", name="Remove the photo").click()
            expect(page.get_by_text("You can put it back for 7 days.").last).to_be_visible()
            page.get_by_role("button", name="Remove it", exact=True).press("Enter")
            expect(page.get_by_text("Photo 1 was removed.")).to_be_visible()
            quiet(page)
            assert [one["number"] for one in api.get(f"{url}/photos").json()["photos"]] == [2]
            if undone == "at once":
                screenshot(page, "undo-inspection-photo")
                assert_fits_width(page)
                page.get_by_role("button", name="Undo").click()
            else:
                page.reload()
                _put_back(page, "Photos")
            expect(page.get_by_text("1 photo put back.")).to_be_visible()
            assert api.get(f"{url}/photos").json() == before
            quiet(page)

        for undone in ("at once", "after a reload"):
            page.get_by_role("button", name="Delete this inspection").click()
            page.get_by_role("button", name="Delete it", exact=True).press("Enter")
            expect(page.get_by_text("Lot Undone was deleted.")).to_be_visible()
            quiet(page)
            assert api.get(url).status_code == 404
            if undone == "at once":
                page.get_by_role("button", name="Undo").click()
            else:
                page.reload()
                _put_back(page, "Inspections")
            expect(page.get_by_text("1 inspection put back.")).to_be_visible()
            assert api.get(f"{url}/photos").json() == before
            page.locator(f".st-key-open_{lot['id']} button:visible").click()
            expect_title(page, "Lot Undone")
            quiet(page)
        no_traceback(page)


def _put_back(page: Page, what: str) -> None:
    """Restore the first of the recently removed items."""
    quiet(page)
    page.get_by_text("Removed in the last 7 days").click()
    chosen = page.get_by_role("combobox", name=what)
    page.wait_for_function("document.getAnimations().every(one => one.playState != 'running')")
    chosen.click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    quiet(page)
    page.get_by_role("button", name="Put back").click()
