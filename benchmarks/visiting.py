"""Opening pages as a person does, with a clock."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, ViewportSize

from benchmarks.spent import Spent, SpentByBrowser
from tests.e2e.browser import running_profile
from tests.e2e.pages import PATIENCE_MS, no_traceback

# After the first one.
VISITS = 5
WINDOW = ViewportSize(width=1280, height=900)
# Milliseconds since `since` on the page's own clock until a person can use it (its title and its
# first control are there, and nothing runs), and until all of it is drawn. The page looks before it
# draws each frame.
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
class Seen:
    """What is seen of a page: its title and, as selectors, what a person uses first and what is
    drawn last where that is more."""

    title: str
    control: str
    last: str = ""


@dataclass(frozen=True)
class Visit:
    """Seconds until the page could be used and until all was drawn, and those of processors in
    API, app and browser by then."""

    usable: float
    whole: float
    api: float
    app: float
    browser: float


class Visitor:
    """Opens pages of the app at `ui_url`."""

    def __init__(self, ui_url: str, api: Spent, app: Spent) -> None:
        self._ui_url = ui_url
        self._api = api
        self._app = app

    def page(self, address: str, seen: Seen) -> list[Visit]:
        """The first visit of a new browser, and the others."""
        return self._visits(lambda page, spent: self._opened(page, spent, address, seen))

    def part(self, address: str, seen: Seen, part: str, seen_then: Seen) -> list[Visit]:
        """The same from a click on a part of a page that is open."""

        def visit(page: Page, spent: SpentByBrowser) -> Visit:
            self._opened(page, spent, address, seen)
            since = float(page.evaluate(_AGAIN))
            click = page.get_by_text(part, exact=True).first.click
            return self._timed(page, spent, click, seen_then, since)

        return self._visits(visit)

    def _visits(self, visit: Callable[[Page, SpentByBrowser], Visit]) -> list[Visit]:
        visits = []
        with running_profile(WINDOW) as context:
            spent = SpentByBrowser(context)
            for _ in range(1 + VISITS):
                page = context.new_page()
                visits.append(visit(page, spent))
                no_traceback(page)
                page.close()
        return visits

    def _opened(self, page: Page, spent: SpentByBrowser, address: str, seen: Seen) -> Visit:
        def go() -> None:
            page.goto(f"{self._ui_url}/{address}", wait_until="commit")

        return self._timed(page, spent, go, seen)

    def _timed(
        self,
        page: Page,
        spent: SpentByBrowser,
        act: Callable[[], None],
        seen: Seen,
        since: float = 0,
    ) -> Visit:
        api, app = self._api.seconds, self._app.seconds
        spent.begin()
        act()
        wanted = [seen.title, seen.control, seen.last or seen.control, since]
        found = page.wait_for_function(_DRAWN, arg=wanted, timeout=PATIENCE_MS, polling="raf")
        usable, whole = found.json_value()
        return Visit(
            usable=usable / 1000,
            whole=whole / 1000,
            api=self._api.seconds - api,
            app=self._app.seconds - app,
            browser=spent.since,
        )
