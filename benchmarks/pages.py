"""How soon each page of the app can be used, with 10,000 images in the catalog.

`make bench-pages`: real processes on the loopback, a real browser. On a machine that does other
work too, the seconds of processor time tell more than those of the clock.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks import large_catalog, many_photos
from benchmarks.spent import Spent
from tests.e2e.browser import chromium, running_browser
from tests.e2e.pages import PAGES, PATIENCE_MS, no_traceback, quiet
from tests.processes import api_process, app_process

VISITS = 5
WINDOW = ViewportSize(width=1280, height=900)
# What a person uses first on each page, and what has to be drawn by then.
CONTROLS = {
    "": '[data-testid="stFileUploaderDropzone"]',
    "training_data": '[data-testid="stFileUploaderDropzone"]',
    "retrain": '[data-testid="stBaseButton-primary"]',
    "dataset_insights": ".st-key-chart-balance .js-plotly-plot",
    "model_report": ".st-key-chart-figures .js-plotly-plot",
    "monitoring": ".st-key-chart-class-mix .js-plotly-plot",
}
# Parts of pages that have more to load than the page: page, part, and what is drawn by then.
PARTS = (
    ("training_data", "Gallery", ".st-key-pictures img"),
    ("training_data", "Review queue", ".st-key-pictures img"),
    ("dataset_insights", "Light and size", ".st-key-chart-looks .js-plotly-plot"),
    ("dataset_insights", "Augmentation", ".st-key-views img"),
    ("dataset_insights", "Map", '[class*="st-key-chart-map"] .js-plotly-plot'),
    ("dataset_insights", "Copies", ".st-key-chart-copies .js-plotly-plot"),
)
# Milliseconds since the beginning of the page or of `since`, once nothing runs and all is seen.
_INTERACTIVE = """
([heading, control, since]) => {
    const app = document.querySelector('[data-testid="stApp"]');
    const busy = '[data-testid="stSkeleton"], [data-testid="stSpinner"], '
        + '[data-testid="stStatusWidget"]';
    const title = document.querySelector('h1');
    const used = document.querySelector(control);
    return app?.dataset.testScriptState === 'notRunning' && !document.querySelector(busy)
        && title?.innerText === heading && used?.checkVisibility()
        && performance.now() - since;
}
"""


@dataclass(frozen=True)
class Visit:
    """One visit: seconds until the page could be used, and of processors in API and app."""

    seconds: float
    api: float
    app: float


def main() -> int:
    if chromium() is None:
        print("This needs Chromium: on Debian or Ubuntu, apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory(prefix="ripeline-bench-") as folder:
        print(f"Making a catalog of {large_catalog.IMAGES:,} images …", flush=True)
        large_catalog.fill(Path(folder))
        settings = {"RIPELINE_STATE_DIR": folder}
        with (
            api_process(settings) as (api_url, api),
            app_process(api_url) as (ui_url, app),
            running_browser() as browser,
        ):
            spent = Spent(api.pid), Spent(app.pid)
            print(f"{'Page':34}{'First':>8}{'Median':>8}   Processor of API and app, then")
            for title, visits in measured(browser, ui_url, *spent):
                print(_line(title, visits), flush=True)
            many_photos.measure(browser, ui_url, Spent(api.pid), Spent(app.pid))
    return 0


def measured(
    browser: Browser, ui_url: str, api: Spent, app: Spent
) -> Iterator[tuple[str, list[Visit]]]:
    """Each page by its title: the first visit of all, by a new browser, and then the others."""
    for address, heading in PAGES.items():
        context = browser.new_context(viewport=WINDOW)
        visits = []
        for _ in range(1 + VISITS):
            page = context.new_page()
            before = api.seconds, app.seconds
            page.goto(f"{ui_url}/{address}", wait_until="commit")
            seconds = _interactive(page, heading, CONTROLS[address])
            visits.append(Visit(seconds, api.seconds - before[0], app.seconds - before[1]))
            no_traceback(page)
            page.close()
        yield heading, visits
        context.close()
    for address, part, drawn in PARTS:
        context = browser.new_context(viewport=WINDOW)
        visits = []
        for _ in range(1 + VISITS):
            page = context.new_page()
            page.goto(f"{ui_url}/{address}", wait_until="commit")
            _interactive(page, PAGES[address], CONTROLS[address])
            quiet(page)
            before = api.seconds, app.seconds
            since = page.evaluate("performance.now()")
            page.get_by_text(part, exact=True).first.click()
            seconds = _interactive(page, PAGES[address], drawn, since)
            visits.append(Visit(seconds, api.seconds - before[0], app.seconds - before[1]))
            no_traceback(page)
            page.close()
        yield f"{PAGES[address]}: {part}", visits
        context.close()


def _interactive(page: Page, heading: str, control: str, since: float = 0) -> float:
    found = page.wait_for_function(
        _INTERACTIVE, arg=[heading, control, since], timeout=PATIENCE_MS, polling="raf"
    )
    return float(found.json_value()) / 1000


def _line(title: str, visits: list[Visit]) -> str:
    first, *others = visits
    api, app = median(v.api for v in others), median(v.app for v in others)
    return (
        f"{title:34}{first.seconds:6.2f} s{median(v.seconds for v in others):6.2f} s"
        f"   {first.api:.2f} and {first.app:.2f} s, {api:.2f} and {app:.2f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
