"""File names, class names and messages of strangers, on every page in a real browser.

They are text: nothing is loaded from elsewhere, and no element of theirs is on the page.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.pages import PAGES, open_page, quiet, visit
from tests.processes import running_app
from tests.synthetic_images import draw_fruit, encode
from tests.ui.fake_api import FakeApi
from tests.ui.hostile_text import script

DESKTOP = ViewportSize(width=1280, height=900)
INJECTED = (
    '[src*="foreign"], [href*="foreign"], script:not([src]):has-text("evil"), '
    'strong:text("evil"), em:text("evil"), code:text("evil"), .katex, .stMarkdownColoredText, '
    '[role="img"][aria-label="home icon"]'
)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(draw_fruit("freshapples", 1), "JPEG")


@pytest.fixture(scope="module")
def ui_url(browser: Browser, photo: bytes) -> Iterator[str]:
    api = script(FakeApi(), photo)
    try:
        with running_app(api.address) as url:
            yield url
    finally:
        api.stop()


@pytest.fixture
def page(browser: Browser, ui_url: str) -> Iterator[Page]:
    """A page that fails the test if it asks for anything of another host."""
    page = browser.new_page(viewport=DESKTOP)
    foreign: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((ui_url, ui_url.replace("http", "ws", 1), "data:", "blob:")):
            foreign.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    yield page
    page.close()
    assert foreign == []


def assert_is_text(page: Page) -> None:
    quiet(page)
    assert page.locator(INJECTED).all_inner_texts() == []


def look(page: Page, kind: str, parts: dict[str, str]) -> None:
    """Choose each of the parts of the page, wait for what only it has, and look at it."""
    for name, own in parts.items():
        if kind == "tab":
            page.get_by_role("tab", name=name).click()
        else:
            page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).first.click()
        # The script starts some time after the click: until then all is quiet, and old.
        expect(page.locator(own).locator("visible=true").first).to_be_visible()
        assert_is_text(page)


def test_predict(page: Page, ui_url: str, photo: bytes) -> None:
    open_page(page, ui_url, "")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {
            "name": "![x](http:a) :red[evil].jpg",
            "mimeType": "image/jpeg",
            "buffer": photo,
        }
    )
    expect(page.get_by_text("foreign.example/x.png").first).to_be_visible()
    assert_is_text(page)
    page.get_by_role("button", name="Yes, it is right").click()
    expect(page.get_by_text("Noted").first).to_be_visible()
    assert_is_text(page)


def test_inspections(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "inspections")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("foreign.example")
    expect(page.locator("[class*=st-key-lot-fruit-] button").first).to_be_visible()
    assert_is_text(page)
    page.locator("[class*=st-key-lot_photo_] button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_is_text(page)


def test_history(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "history")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)
    page.locator(".st-key-history_0 button").click()
    expect(page.locator(".st-key-history-photo")).to_be_visible()
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)


def test_training_data(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "training_data")
    hidden = page.get_by_text("cannot be shown right now").first
    look(page, "part", {"Gallery": "text=Choose all shown"})
    expect(hidden).to_contain_text("foreign.example")
    look(page, "part", {"Review queue": "text=Confirm these labels"})
    expect(hidden).to_contain_text("foreign.example")


def test_retrain(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "retrain")
    expect(page.get_by_text("The last run failed")).to_be_visible()
    parts = {
        "Versions": "text=What was in use when",
        "Freshness limits": "text=Every fruit gets a freshness score",
        "Past runs": '[role="tabpanel"] [data-testid="stDataFrame"]',
    }
    look(page, "tab", parts)


def test_insights(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "dataset_insights")
    parts = {
        "Balance": "text=How even are the classes?",
        "Light and size": "text=Light and colour",
        "Augmentation": "text=What does training make of a photo?",
        "Map": "text=Which photos look alike to the model?",
        "Copies": "text=what they would give away",
    }
    look(page, "part", parts)


def test_model_report(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "model_report")
    parts = {
        "Classes": "text=Confusion matrix",
        "Confidence": "text=Can its confidence be trusted?",
        "Training": "text=Loss by epoch",
        "Mistakes": "text=Worst mistakes",
        "Networks": "text=Input sizes",
        "Compare": "text=Compare with",
    }
    look(page, "part", parts)


def test_monitoring(page: Page, ui_url: str) -> None:
    open_page(page, ui_url, "monitoring")
    expect(page.get_by_text("foreign.example").first).to_be_visible()
    assert_is_text(page)


def test_every_page_was_visited(page: Page, ui_url: str) -> None:
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
    open_page(page, ui_url, "")
    for address, title in list(PAGES.items())[1:]:
        visit(page, title, address)
        assert_is_text(page)
