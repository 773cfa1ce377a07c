"""A trigger's suggestion on every page, answered in the browser, with a real worker."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.e2e.pages import PAGES, PATIENCE_MS, assert_fits_width, open_page, screenshot, visit
from tests.processes import ApiAndWorker, running_app
from tests.retraining.catalog import NEW, add_photographs, write_champion
from tests.waiting import ANSWER_SECONDS, until

TRIGGER = "/triggers/new-images"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ApiAndWorker]:
    """A service whose worker has just asked whether to learn 20 new photos."""
    (tmp_path / "state").mkdir()
    champion = str(write_champion(tmp_path / "models"))
    service = ApiAndWorker(tmp_path / "state", {"RIPELINE_MODEL_DIR": champion})
    service.start("api")
    database = Database(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}")
    try:
        add_photographs(database, Blobs(str(tmp_path / "state" / "blobs")), NEW, 20)
        with httpx.Client(base_url=service.url, trust_env=False, timeout=ANSWER_SECONDS) as api:
            api.put(TRIGGER, json={"threshold": 10}).raise_for_status()
            service.start("worker")
            until(lambda: api.get("/suggestions").json()["suggestions"])
        yield service
    finally:
        service.stop()
        database.close()


def line(page: Page) -> Locator:
    return page.locator(".st-key-suggestion")


def asks(page: Page) -> None:
    expect(line(page)).to_contain_text("Retrain? New photos", timeout=PATIENCE_MS)
    assert_fits_width(page)


def test_suggestion_is_seen_on_every_page_and_started(
    browser: Browser, service: ApiAndWorker
) -> None:
    with running_app(service.url) as ui_url:
        phone = browser.new_page(viewport={"width": 390, "height": 900}, color_scheme="dark")
        open_page(phone, ui_url, "monitoring")
        asks(phone)
        screenshot(phone, "suggestion-phone")
        page = browser.new_page()
        open_page(page, ui_url, "")
        asks(page)
        for address, title in list(PAGES.items())[1:]:
            visit(page, title, address)
            asks(page)
        line(page).get_by_role("button", name="Look").click()
        popover = page.get_by_test_id("stPopoverBody")
        expect(popover).to_contain_text("20 training images are new")
        screenshot(page, "suggestion-look")
        page.keyboard.press("Escape")

        line(page).get_by_role("button", name="Start").click()

        expect(line(page)).to_have_count(0, timeout=PATIENCE_MS)
        visit(page, "Retrain", "retrain")
        expect(page.get_by_text("as “New photos” suggested").first).to_be_visible(
            timeout=PATIENCE_MS
        )


def test_mode_of_a_trigger_is_set_and_its_suggestion_disappears(
    browser: Browser, service: ApiAndWorker
) -> None:
    with running_app(service.url) as ui_url:
        page = browser.new_page()
        open_page(page, ui_url, "monitoring")
        card = page.locator(".st-key-trigger-new-images")
        expect(card.get_by_text("You are asked, on every page")).to_be_visible()
        expect(card.get_by_role("button", name="Dismiss")).to_be_visible()

        card.get_by_role("radio", name="Off").click()

        expect(card.get_by_text("Nothing happens.")).to_be_visible(timeout=PATIENCE_MS)
        expect(line(page)).to_have_count(0, timeout=PATIENCE_MS)
        page.reload()
        expect(card.get_by_text("Nothing happens.")).to_be_visible(timeout=PATIENCE_MS)
        screenshot(page, "trigger-modes")
