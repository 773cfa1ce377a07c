"""An outage of the API while a person has the app open."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages import PAGES, PATIENCE_MS, no_traceback, open_page, screenshot
from tests.processes import ApiAndWorker, running_app

OUTAGE = "The grading service is not answering"
# Text that each page shows only with data from the API.
LOADED = {
    "": "No photo yet",
    "training_data": "photos of 6 classes",
    "retrain": "What was in use when",
    "dataset_insights": "the ones that version",
    "model_report": "parameters",
    "monitoring": "Up for",
    "inspections": "No inspections yet",
    "history": "Nothing graded yet",
}
# These pages poll the API and notice an outage by themselves, the others when they are redrawn.
POLLING = ("retrain", "monitoring")


def test_every_page_reports_an_outage_and_recovers(browser: Browser, tmp_path: Path) -> None:
    service = ApiAndWorker(tmp_path, {})
    service.start("api")
    try:
        with running_app(service.url) as ui_url:
            # In one context, so that the app is compiled only once.
            context = browser.new_context()
            pages = {address: context.new_page() for address in PAGES}
            for address, page in pages.items():
                open_page(page, ui_url, address)
                shows_data(page, address)
            service.kill("api")
            for address, page in pages.items():
                if address not in POLLING:
                    # Its data is still in the app's caches.
                    open_page(page, ui_url, address)
                shows_outage(page)
                screenshot(page, f"outage-{address or 'predict'}")
            service.start("api")
            for address, page in pages.items():
                shows_data(page, address)
            context.close()
    finally:
        service.stop()


def shows_outage(page: Page) -> None:
    alert = page.get_by_test_id("stAlert").filter(has_text=OUTAGE)
    expect(alert.first).to_be_visible(timeout=PATIENCE_MS)
    expect(alert.first).to_contain_text("continues by itself")
    no_traceback(page)


def shows_data(page: Page, address: str) -> None:
    expect(page.get_by_text(LOADED[address]).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(OUTAGE)).to_have_count(0, timeout=PATIENCE_MS)
    no_traceback(page)
