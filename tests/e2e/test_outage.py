"""An outage of the API while a person has the app open."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages import PAGES, PATIENCE_MS, no_traceback, open_page, picture
from tests.processes import ApiAndWorker, running_app

AWAY = "The grading service is not answering"
# What each page shows only where the API has told it something.
WHOLE = {
    "": "No photo yet",
    "training_data": "photos of 6 classes",
    "retrain": "What was in use when",
    "dataset_insights": "those that version",
    "model_report": "parameters",
    "monitoring": "Up for",
}
# These look again by themselves, and so find out that the API is gone; the others once they are
# drawn again.
WATCHING = ("retrain", "monitoring")


def test_every_page_reports_an_outage_and_recovers(browser: Browser, tmp_path: Path) -> None:
    service = ApiAndWorker(tmp_path, {})
    service.start("api")
    try:
        with running_app(service.url) as ui_url:
            pages = {address: browser.new_page() for address in PAGES}
            for address, page in pages.items():
                open_page(page, ui_url, address)
                is_whole(page, address)
            service.kill("api")
            for address, page in pages.items():
                if address not in WATCHING:
                    # What it loaded is still in the app's caches.
                    open_page(page, ui_url, address)
                is_away(page)
                picture(page, f"away-{address or 'predict'}")
            service.start("api")
            for address, page in pages.items():
                is_whole(page, address)
                page.close()
    finally:
        service.stop()


def is_away(page: Page) -> None:
    told = page.get_by_test_id("stAlert").filter(has_text=AWAY)
    expect(told.first).to_be_visible(timeout=PATIENCE_MS)
    expect(told.first).to_contain_text("continues by itself")
    no_traceback(page)


def is_whole(page: Page, address: str) -> None:
    expect(page.get_by_text(WHOLE[address]).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(AWAY)).to_have_count(0, timeout=PATIENCE_MS)
    no_traceback(page)
