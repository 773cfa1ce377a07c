"""The menu by mouse, keyboard and thumb, and how far below the header a page begins."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages import SCHEMES, open_page, visit
from tests.processes import Running

pytestmark = pytest.mark.slow
_PHONE_AGENT = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)
_OUTLINE = "e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth]; }"


def test_keyboard_is_seen_in_the_menu(sized_page: Page, running: Running) -> None:
    page = sized_page
    open_page(page, running.ui_url, "")
    if page.viewport_size and page.viewport_size["width"] < 500:
        page.get_by_test_id("stExpandSidebarButton").click()
    link = page.get_by_role("link", name="Retrain", exact=True)
    expect(link).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if link.evaluate("e => e === document.activeElement"):
            break

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert link.evaluate(_OUTLINE) == ["solid", "3px"]


def test_page_begins_soon_below_the_header(sized_page: Page, running: Running) -> None:
    page = sized_page
    open_page(page, running.ui_url, "")
    header = page.get_by_test_id("stHeader").bounding_box()
    title = page.get_by_role("heading", level=1).bounding_box()
    assert header is not None
    assert title is not None

    assert 0 <= title["y"] - (header["y"] + header["height"]) < 40


def test_page_is_as_wide_after_a_wide_one(page: Page, running: Running) -> None:
    block = page.get_by_test_id("stMainBlockContainer")
    open_page(page, running.ui_url, "")
    first = block.bounding_box()
    visit(page, "Retrain", "retrain")
    wide = block.bounding_box()
    visit(page, "Predict", "")
    again = block.bounding_box()

    assert first is not None
    assert wide is not None
    assert again is not None
    assert first["width"] == again["width"] < wide["width"]


@pytest.mark.parametrize("agent", [_PHONE_AGENT, None], ids=["phone", "narrow"])
def test_menu_over_the_page_closes_once_a_page_is_chosen(
    browser: Browser, running: Running, agent: str | None
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, user_agent=agent
    )
    page = context.new_page()
    open_page(page, running.ui_url, "")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false")

    visit(page, "Monitoring", "monitoring")

    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    page.get_by_test_id("stExpandSidebarButton").click()
    visit(page, "Predict", "")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    context.close()
