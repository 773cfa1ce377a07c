"""Opening pages as a person does, with a clock."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.spent import Spent, SpentByBrowser
from tests.e2e.pages import PATIENCE_MS, no_traceback

# After the first one.
VISITS = 5
WINDOW = ViewportSize(width=1280, height=900)
# Milliseconds since `since` on the page's own clock, once nothing runs and all that is to be seen
# is. The page looks before it draws each frame.
_INTERACTIVE = """
([title, control, since]) => {
    const app = document.querySelector('[data-testid="stApp"]');
    const busy = '[data-testid="stSkeleton"], [data-testid="stSpinner"], '
        + '[data-testid="stStatusWidget"]';
    return app?.dataset.testScriptState === 'notRunning'
        && !document.querySelector(busy)
        && document.querySelector('h1')?.innerText === title
        && document.querySelector(control)?.checkVisibility()
        && performance.now() - since;
}
"""


@dataclass(frozen=True)
class Visit:
    """Seconds until the page could be used, and those of processors in API, app and browser."""

    seconds: float
    api: float
    app: float
    browser: float


class Visitor:
    """Opens pages of the app at `ui_url`."""

    def __init__(self, browser: Browser, ui_url: str, api: Spent, app: Spent) -> None:
        self._browser = browser
        self._ui_url = ui_url
        self._api = api
        self._app = app
        self._chromium = SpentByBrowser(browser)

    def page(self, address: str, title: str, control: str) -> list[Visit]:
        """The first visit of a new browser, and the others."""
        return self._visits(lambda page: self._opened(page, address, title, control))

    def part(self, address: str, title: str, control: str, part: str, drawn: str) -> list[Visit]:
        """The same from a click on a part of a page that is open."""

        def visit(page: Page) -> Visit:
            self._opened(page, address, title, control)
            since = float(page.evaluate("performance.now()"))
            click = page.get_by_text(part, exact=True).first.click
            return self._timed(page, click, [title, drawn, since])

        return self._visits(visit)

    def _visits(self, visit: Callable[[Page], Visit]) -> list[Visit]:
        context = self._browser.new_context(viewport=WINDOW)
        visits = []
        for _ in range(1 + VISITS):
            page = context.new_page()
            visits.append(visit(page))
            no_traceback(page)
            page.close()
        context.close()
        return visits

    def _opened(self, page: Page, address: str, title: str, control: str) -> Visit:
        def go() -> None:
            page.goto(f"{self._ui_url}/{address}", wait_until="commit")

        return self._timed(page, go, [title, control, 0.0])

    def _timed(self, page: Page, act: Callable[[], None], wanted: list[object]) -> Visit:
        api, app = self._api.seconds, self._app.seconds
        self._chromium.begin()
        act()
        found = page.wait_for_function(_INTERACTIVE, arg=wanted, timeout=PATIENCE_MS, polling="raf")
        return Visit(
            seconds=float(found.json_value()) / 1000,
            api=self._api.seconds - api,
            app=self._app.seconds - app,
            browser=self._chromium.since,
        )
