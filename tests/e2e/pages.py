"""The app's pages in a browser: opening, waiting, checking, taking screenshots."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Literal

from playwright.sync_api import FilePayload, Page, expect

from api.settings import PROJECT

ARTEFACTS = PROJECT / "test-artefacts"
# Widths of a desktop window and of a phone.
WIDTHS = (1280, 390)
PHONE = 500
Scheme = Literal["light", "dark"]
# The backgrounds of ui/.streamlit/config.toml.
SCHEMES: dict[Scheme, str] = {
    "light": "rgb(253, 252, 248)",
    "dark": "rgb(21, 26, 23)",
}
# Widths and colour schemes of a window.
SIZES = tuple((width, scheme) for width in WIDTHS for scheme in SCHEMES)
# Address and heading of each page, in the order of the navigation.
PAGES = {
    "": "Is it fresh?",
    "inspections": "Inspections",
    "history": "History",
    "training_data": "Training data",
    "retrain": "Retrain",
    "dataset_insights": "Dataset insights",
    "model_report": "Model report",
    "monitoring": "Monitoring",
}
# Only a failing test waits this long.
PATIENCE_MS = 180_000
# Browsers report widths in fractions of a pixel.
TOLERANCE_PIXELS = 1
TALLEST_PIXELS = 6000

_OVERFLOW = """
() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
    .map(part => part.scrollWidth - part.clientWidth)
"""
_HEIGHT = """() => document.querySelector('[data-testid="stMain"]').scrollHeight"""


def open_page(page: Page, ui_url: str, address: str) -> None:
    """Open one of `PAGES` by its address, and wait until it is drawn."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{ui_url}/{address}")
    wait_until_drawn(page, address)


def visit(page: Page, title: str, address: str) -> None:
    """Go to one of `PAGES` through the navigation, so that the session stays."""
    page.get_by_role("link", name=title, exact=True).click()
    wait_until_drawn(page, address)


def choose_files(page: Page, files: Path | FilePayload | list[Path] | list[FilePayload]) -> None:
    """Choose files in the page's uploader."""
    # While the page changes, the previous page's uploader is there too.
    several = isinstance(files, list) and len(files) > 1
    uploader = page.locator(
        '[data-testid="stFileUploaderDropzoneInput"]' + ("[multiple]" if several else "")
    )
    expect(uploader).to_have_count(1)
    uploader.set_input_files(files)


def wait_until_drawn(page: Page, address: str) -> None:
    """Wait for the page's heading and the end of its script, and expect no traceback."""
    expect_title(page, PAGES[address])
    quiet(page)
    no_traceback(page)


def expect_title(page: Page, title: str) -> None:
    """Wait until `title` is the only title: for a moment the previous page's may still be there."""
    expect(page.get_by_role("heading", level=1)).to_have_text([title], timeout=PATIENCE_MS)


def quiet(page: Page) -> None:
    """Wait until the page is neither running nor loading."""
    idle_app = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(idle_app).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE_MS)


def no_traceback(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert "Traceback" not in page.inner_text("body")


def assert_fits_width(page: Page) -> None:
    """The page does not scroll sideways."""
    overflow = page.evaluate(_OVERFLOW)
    assert max(overflow) <= TOLERANCE_PIXELS, (page.url, page.viewport_size, overflow)


def screenshot(page: Page, name: str) -> None:
    """A screenshot of the page at its full height."""
    with _full_height(page):
        _photograph(page, name)


@contextmanager
def _full_height(page: Page) -> Iterator[None]:
    quiet(page)
    size = page.viewport_size
    assert size is not None
    height = min(max(page.evaluate(_HEIGHT), size["height"]), TALLEST_PIXELS)
    page.set_viewport_size({"width": size["width"], "height": height})
    quiet(page)
    yield
    page.set_viewport_size(size)


def _photograph(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def look(page: Page, story: str, step: str, *, whole: bool = True) -> None:
    """Check that the page fits, and take a screenshot in light and dark; with `whole`, at full
    height."""
    size = page.viewport_size
    assert size is not None
    for scheme in SCHEMES:
        _check_in(page, scheme)
    # Set the full height once for both, since each new size redraws the page. Ends with light.
    with _full_height(page) if whole else nullcontext():
        for scheme in reversed(SCHEMES):
            _check_in(page, scheme)
            _photograph(page, f"{story}-{size['width']}-{scheme}-{step}")


def _check_in(page: Page, scheme: Scheme) -> None:
    """Check that the page fits in this colour scheme."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".stApp")).to_have_css("background-color", SCHEMES[scheme])
    quiet(page)
    assert_fits_width(page)


def is_phone(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] < PHONE


def downloaded(page: Page, key: str) -> bytes:
    """The file that the button with this key downloads."""
    with page.expect_download() as download:
        page.locator(f".st-key-{key} button:visible").first.click()
    return Path(download.value.path()).read_bytes()
