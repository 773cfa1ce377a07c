"""How soon each page of the app can be used with 10,000 images in the catalog: `make bench-pages`.

Real processes on the loopback and a real browser. Beside the seconds of the clock stand those of
the processors, which tell more on a machine that does other work too.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import large_catalog, many_photos
from benchmarks.spent import Spent
from benchmarks.visiting import VISITS, Visit, Visitor
from tests.e2e.browser import chromium, running_browser
from tests.e2e.pages import PAGES
from tests.processes import api_process, app_process

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


def main() -> int:
    if chromium() is None:
        print("This needs Chromium: on Debian or Ubuntu, apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory(prefix="ripeline-bench-") as folder:
        print(f"Making a catalog of {large_catalog.IMAGES:,} images …", flush=True)
        large_catalog.fill(Path(folder))
        with (
            api_process({"RIPELINE_STATE_DIR": folder}) as (api_url, api),
            app_process(api_url) as (ui_url, app),
            running_browser() as browser,
        ):
            spent = Spent(api.pid), Spent(app.pid)
            visitor = Visitor(browser, ui_url, *spent)
            print(
                "Seconds until it can be used, the first time and the median of "
                f"{VISITS} more;\nin brackets those of processors, in API, app and browser"
            )
            for address, title in PAGES.items():
                _tell(title, visitor.page(address, title, CONTROLS[address]))
            for address, part, drawn in PARTS:
                title = PAGES[address]
                visits = visitor.part(address, title, CONTROLS[address], part, drawn)
                _tell(f"{title}: {part}", visits)
            many_photos.measure(browser, ui_url, *spent)
    return 0


def _tell(title: str, visits: list[Visit]) -> None:
    first, *others = visits
    usual = Visit(
        seconds=median(visit.seconds for visit in others),
        api=median(visit.api for visit in others),
        app=median(visit.app for visit in others),
        browser=median(visit.browser for visit in others),
    )
    print(f"{title:32}{_in_words(first)}   {_in_words(usual)}", flush=True)


def _in_words(visit: Visit) -> str:
    return f"{visit.seconds:5.2f} ({visit.api:.2f} {visit.app:.2f} {visit.browser:.2f})"


if __name__ == "__main__":
    sys.exit(main())
