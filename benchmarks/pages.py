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
from benchmarks.visiting import VISITS, Seen, Visit, Visitor
from tests.e2e.browser import chromium, running_browser
from tests.e2e.pages import PAGES
from tests.processes import api_process, app_process

# What a person uses first on each page, and what is drawn of it last.
SEEN = {
    "": Seen('[data-testid="stFileUploaderDropzone"]', ".st-key-empty"),
    "training_data": Seen('[role="combobox"]', ".st-key-empty"),
    "retrain": Seen(
        '[data-testid="stBaseButton-primary"]', '[data-testid="stDataFrame"] .dvn-scroller'
    ),
    "dataset_insights": Seen(
        '[data-testid="stButtonGroup"] button', ".st-key-chart-freshness .js-plotly-plot"
    ),
    "model_report": Seen('[role="combobox"]', ".st-key-chart-confusion .js-plotly-plot"),
    "monitoring": Seen(
        '[data-testid="stButtonGroup"] button', ".st-key-chart-timeline .js-plotly-plot"
    ),
}
# Parts of pages that have more to load than the page: page, part, and what is seen of it.
PARTS = (
    ("training_data", "Gallery", Seen(".st-key-pictures img")),
    ("training_data", "Review queue", Seen(".st-key-pictures img")),
    ("dataset_insights", "Light and size", Seen(".st-key-chart-looks .js-plotly-plot")),
    ("dataset_insights", "Augmentation", Seen(".st-key-views img")),
    ("dataset_insights", "Map", Seen('[class*="st-key-chart-map"] .js-plotly-plot')),
    ("dataset_insights", "Copies", Seen(".st-key-chart-copies .js-plotly-plot")),
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
                f"Seconds until it can be used and until all is drawn, the first time and the\n"
                f"median of {VISITS} more; in brackets those of processors in API, app and browser"
            )
            for address, title in PAGES.items():
                _tell(title, visitor.page(address, title, SEEN[address]))
            for address, part, seen in PARTS:
                title = PAGES[address]
                visits = visitor.part(address, title, SEEN[address], part, seen)
                _tell(f"{title}: {part}", visits)
            many_photos.measure(browser, ui_url, *spent)
    return 0


def _tell(title: str, visits: list[Visit]) -> None:
    first, *others = visits
    usual = Visit(
        usable=median(visit.usable for visit in others),
        whole=median(visit.whole for visit in others),
        api=median(visit.api for visit in others),
        app=median(visit.app for visit in others),
        browser=median(visit.browser for visit in others),
    )
    print(f"{title:32}{_in_words(first)}   {_in_words(usual)}", flush=True)


def _in_words(visit: Visit) -> str:
    processors = f"{visit.api:.2f} {visit.app:.2f} {visit.browser:.2f}"
    return f"{visit.usable:5.2f}{visit.whole:6.2f} ({processors})"


if __name__ == "__main__":
    sys.exit(main())
