"""Load times of the app's pages in a real browser."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, ViewportSize

from benchmarks.cpu_time import BrowserUsage, ProcessUsage
from tests.e2e.browser import running_profile
from tests.e2e.pages import PATIENCE_MS, no_traceback

VISITS = 5  # After the first one.
WINDOW = ViewportSize(width=1280, height=900)
# Milliseconds from `since`, on the page's clock, until the page is usable (title and first control
# visible, no script running) and until all of it is drawn. Evaluated before every frame.
_DRAWN = """
([title, control, last, since]) => {
    const app = document.querySelector('[data-testid="stApp"]');
    const now = performance.now() - since;
    const there = selector => document.querySelector(selector)?.checkVisibility();
    if (app?.dataset.testScriptState !== 'notRunning' || !there(control)
        || there('[data-testid="stStatusWidget"], [data-testid="stSpinner"]')
        || document.querySelector('h1')?.innerText !== title) return null;
    window.usableAfter ??= now;
    return !there('[data-testid="stSkeleton"]') && there(last) && [window.usableAfter, now];
}
"""
_AGAIN = "() => { window.usableAfter = undefined; return performance.now(); }"


@dataclass(frozen=True)
class PageElements:
    """A page's title, and selectors of its first control and, if different, of the element drawn
    last."""

    title: str
    control: str
    last: str = ""


@dataclass(frozen=True)
class Visit:
    """Seconds until the page was usable and until it was drawn, and CPU seconds of API, app and
    browser until then."""

    usable: float
    drawn: float
    api: float
    app: float
    browser: float


class PageTimer:
    """Opens pages of the app at `ui_url`. `api` and `app` are their processes."""

    def __init__(self, ui_url: str, api: ProcessUsage, app: ProcessUsage) -> None:
        self._ui_url = ui_url
        self._api = api
        self._app = app

    def page(self, address: str, elements: PageElements) -> list[Visit]:
        """Time the first visit with a new browser profile, and VISITS more."""
        return self._visits(lambda page, usage: self._open(page, usage, address, elements))

    def part(
        self, address: str, elements: PageElements, part: str, part_elements: PageElements
    ) -> list[Visit]:
        """The same for part of an open page, timed from a click on its text `part`."""

        def visit(page: Page, usage: BrowserUsage) -> Visit:
            self._open(page, usage, address, elements)
            since = float(page.evaluate(_AGAIN))
            click = page.get_by_text(part, exact=True).first.click
            return self._time(page, usage, click, part_elements, since)

        return self._visits(visit)

    def _visits(self, visit: Callable[[Page, BrowserUsage], Visit]) -> list[Visit]:
        visits = []
        with running_profile(WINDOW) as context:
            usage = BrowserUsage(context)
            for _ in range(1 + VISITS):
                page = context.new_page()
                visits.append(visit(page, usage))
                no_traceback(page)
                page.close()
        return visits

    def _open(self, page: Page, usage: BrowserUsage, address: str, elements: PageElements) -> Visit:
        def go() -> None:
            page.goto(f"{self._ui_url}/{address}", wait_until="commit")

        return self._time(page, usage, go, elements)

    def _time(
        self,
        page: Page,
        usage: BrowserUsage,
        action: Callable[[], None],
        elements: PageElements,
        since: float = 0,
    ) -> Visit:
        api, app = self._api.cpu_seconds, self._app.cpu_seconds
        usage.begin()
        action()
        wanted = [elements.title, elements.control, elements.last or elements.control, since]
        found = page.wait_for_function(_DRAWN, arg=wanted, timeout=PATIENCE_MS, polling="raf")
        usable, drawn = found.json_value()
        return Visit(
            usable=usable / 1000,
            drawn=drawn / 1000,
            api=self._api.cpu_seconds - api,
            app=self._app.cpu_seconds - app,
            browser=usage.since,
        )
