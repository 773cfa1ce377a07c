"""A real browser with real processes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.browser import chromium, running_browser
from tests.e2e.pages import PATIENCE_MS, PHONE, WIDTHS
from tests.processes import Running, running_app, running_everything
from tests.synthetic_images import draw_fruit, encode
from tests.ui.fake_api import FakeApi
from tests.ui.hostile_text import script

# The default of five seconds is too short while other tests keep the processors busy.
expect.set_options(timeout=PATIENCE_MS)
WITHOUT_BROWSER = "needs Chromium: on Debian or Ubuntu, apt-get install chromium"


# Not session-scoped: its event loop counts as running, so `asyncio.run` would fail in other tests.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip(WITHOUT_BROWSER)
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    if chromium() is None:
        pytest.skip(WITHOUT_BROWSER)
    with running_everything() as running:
        yield running


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A JPEG of one drawn fruit."""
    return encode(draw_fruit("freshapples", 1), "JPEG")


@pytest.fixture(scope="module")
def hostile_api(photo: bytes) -> Iterator[FakeApi]:
    """A fake API that fills every page with hostile texts."""
    api = script(FakeApi(), photo)
    yield api
    api.stop()


@pytest.fixture(scope="module")
def hostile_url(browser: Browser, hostile_api: FakeApi) -> Iterator[str]:
    """The app in front of that API."""
    with running_app(hostile_api.address) as url:
        yield url


# One page for all tests of a module: each new page loads and compiles the app again, which takes
# most of a short test's time. Each test first opens an address, so nothing is left of the one
# before.
@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of desktop size."""
    size = ViewportSize(width=WIDTHS[0], height=900)
    with browser.new_page(viewport=size, reduced_motion="reduce") as page:
        yield page


@pytest.fixture(scope="module", params=WIDTHS)
def sized_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of each width; the narrow one has a touch screen."""
    width = request.param
    with browser.new_context(
        viewport={"width": width, "height": 900},
        has_touch=width < PHONE,
        reduced_motion="reduce",
    ) as context:
        yield context.new_page()
