"""A browser whose camera films drawn trays, and the live camera of an inspection in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.drawn_tray import draw_tray_of, rearranged
from tests.e2e.browser import chromium, running_browser
from tests.e2e.conftest import WITHOUT_BROWSER
from tests.e2e.pages import PATIENCE_MS, quiet
from tests.processes import running_app
from tests.ui import fake_lots, fake_tray
from tests.ui.fake_api import Answer, FakeApi

FRAMES = "/predict?record=false&instances=true"
WHOLE_FRAMES = "/predict?record=false"
FILMED_PIXELS = (1280, 854)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that alternates between two trays, as raw pictures (YUV4MPEG2)."""
    width, height = FILMED_PIXELS
    path = tmp_path_factory.mktemp("film") / "trays.y4m"
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F5:1 Ip A1:1 C420\n".encode())
        for turns in (0, 1):
            tray = draw_tray_of(rearranged(turns), seed=turns).resize(FILMED_PIXELS)
            bright, *colours = tray.convert("YCbCr").split()
            small = [plane.resize((width // 2, height // 2)) for plane in colours]
            picture = b"".join(plane.tobytes() for plane in (bright, *small))
            file.write(10 * (b"FRAME\n" + picture))
    return path


@pytest.fixture(scope="module")
def filming(film: Path) -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip(WITHOUT_BROWSER)
    with running_browser(
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
        "--host-resolver-rules=MAP insecure.test 127.0.0.1",
    ) as browser:
        yield browser


@pytest.fixture(scope="module")
def shared_api(photo: bytes) -> Iterator[FakeApi]:
    api = FakeApi()
    fake_lots.script(api, photo)
    api.answers[FRAMES] = Answer(fake_tray.tray_answer(fake_tray.TRAY))
    yield api
    api.stop()


@pytest.fixture(scope="module")
def fake_url(shared_api: FakeApi) -> Iterator[str]:
    with running_app(shared_api.address) as url:
        yield url


@pytest.fixture
def fake_api(shared_api: FakeApi) -> Iterator[FakeApi]:
    """The API behind `fake_url`; its answers are reset after the test."""
    before = dict(shared_api.answers)
    yield shared_api
    shared_api.answers = before


@pytest.fixture(scope="module")
def allowed(filming: Browser, fake_url: str) -> Iterator[BrowserContext]:
    """The browser context of a person who lets every page use the camera."""
    with filming.new_context(permissions=["camera"], reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE_MS)
        # As long as one page of the app is open, others can use its compiled code.
        context.new_page().goto(f"{fake_url}/_stcore/health")
        yield context


@pytest.fixture
def page(allowed: BrowserContext) -> Iterator[Page]:
    with allowed.new_page() as page:
        yield page


def live(page: Page) -> Locator:
    return page.get_by_role("group", name="Live camera")


def button(page: Page, name: str) -> Locator:
    return live(page).get_by_role("button", name=name, exact=True)


def open_camera(page: Page, url: str) -> None:
    """Open the live camera of the fake API's open inspection."""
    page.goto(f"{url}/inspections?inspection={fake_lots.ID}")
    page.get_by_role("radio", name="Live camera", exact=True).click()
    expect(button(page, "Start the camera")).to_be_visible()
    quiet(page)
