"""Tables in a browser, with a fake API that fills every column."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.pages import TOLERANCE_PIXELS, open_page
from tests.processes import running_app
from tests.ui import fake_learning as fake
from tests.ui.fake_api import FakeApi

DESKTOP = ViewportSize(width=1280, height=900)
TABS = {"Versions": 2, "Past runs": 1}
# Pixels of each visible table that are cut off.
_HIDDEN = """
() => [...document.querySelectorAll('[data-testid="stDataFrame"] .dvn-scroller')]
    .filter(table => table.checkVisibility())
    .map(table => table.scrollWidth - table.clientWidth)
"""


@pytest.fixture
def ui_url() -> Iterator[str]:
    api = fake.script(FakeApi())
    api.answers["/runs"] = fake.runs(fake.RUN)
    try:
        with running_app(api.address) as ui_url:
            yield ui_url
    finally:
        api.stop()


def test_tables_of_the_retrain_page_are_not_cut_off(browser: Browser, ui_url: str) -> None:
    page = browser.new_page(viewport=DESKTOP)
    open_page(page, ui_url, "retrain")
    for tab, tables in TABS.items():
        page.get_by_role("tab", name=tab).click()
        frames = page.get_by_test_id("stDataFrame").filter(visible=True)
        expect(frames).to_have_count(tables)
        expect(frames.locator(".dvn-scroller").last).to_be_visible()
        assert max(page.evaluate(_HIDDEN)) <= TOLERANCE_PIXELS, tab
    page.close()
