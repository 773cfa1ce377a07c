"""Hostile file names, class names and messages on every page, in a real browser. They are shown as
text: nothing is loaded from elsewhere, and they add no elements to the page.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, WebSocket, expect

from tests.e2e.pages import PAGES, choose_files, open_page, quiet, visit
from tests.e2e.parts import each_part

INJECTED = (
    '[src*="foreign"], [href*="foreign"], script:not([src]):has-text("evil"), '
    'strong:text("evil"), em:text("evil"), code:text("evil"), .katex, .stMarkdownColoredText, '
    '[role="img"][aria-label="home icon"]'
)


@pytest.fixture(autouse=True)
def _own_host_only(page: Page, hostile_url: str) -> Iterator[None]:
    """Fail a test whose page requests anything from another host."""
    foreign: list[str] = []

    def note(asked: Request | WebSocket) -> None:
        own = (hostile_url, hostile_url.replace("http", "ws", 1), "data:", "blob:")
        if not asked.url.startswith(own):
            foreign.append(asked.url)

    page.on("request", note)
    page.on("websocket", note)
    yield
    page.remove_listener("request", note)
    page.remove_listener("websocket", note)
    assert foreign == []


def assert_is_text(page: Page) -> None:
    quiet(page)
    assert page.locator(INJECTED).all_inner_texts() == []


def look(page: Page, address: str) -> None:
    """Look at each part of the page."""
    for _ in each_part(page, address):
        assert_is_text(page)


def test_predict(page: Page, hostile_url: str, photo: bytes) -> None:
    open_page(page, hostile_url, "")
    choose_files(
        page,
        {
            "name": "![x](http:a) :red[evil].jpg",
            "mimeType": "image/jpeg",
            "buffer": photo,
        },
    )
    expect(page.get_by_text("foreign.example/x.png").first).to_be_visible()
    assert_is_text(page)
    page.get_by_role("button", name="Yes, it is right").click()
    expect(page.get_by_text("Noted").first).to_be_visible()
    assert_is_text(page)


def test_inspections(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "inspections")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(["foreign.example"])
    expect(page.locator("[class*=st-key-lot-fruit-] button").first).to_be_visible()
    assert_is_text(page)
    page.locator("[class*=st-key-lot_photo_] button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_is_text(page)


def test_history(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "history")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)
    page.locator(".st-key-history_0 button").click()
    expect(page.locator(".st-key-history-photo")).to_be_visible()
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)


def test_training_data(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "training_data")
    hidden = page.get_by_text("cannot be shown right now").first
    for _ in each_part(page, "training_data"):
        assert_is_text(page)
        expect(hidden).to_contain_text("foreign.example")


def test_retrain(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "retrain")
    expect(page.get_by_text("The last run failed")).to_be_visible()
    look(page, "retrain")


def test_insights(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "dataset_insights")
    look(page, "dataset_insights")


def test_model_report(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "model_report")
    look(page, "model_report")


def test_monitoring(page: Page, hostile_url: str) -> None:
    open_page(page, hostile_url, "monitoring")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)


def test_every_page_was_visited(page: Page, hostile_url: str) -> None:
    """A new page needs a test here."""
    assert set(PAGES) == {
        "",
        "history",
        "inspections",
        "training_data",
        "retrain",
        "dataset_insights",
        "model_report",
        "monitoring",
    }
    open_page(page, hostile_url, "")
    for address, title in list(PAGES.items())[1:]:
        visit(page, title, address)
        assert_is_text(page)
