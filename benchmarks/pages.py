"""Load times of the app's pages with 10,000 images, 20,000 predictions and 60 inspections in the
catalog: `make bench-pages`.

Real processes on loopback and a real browser. CPU seconds are printed beside wall-clock seconds, as
they hardly depend on other load.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import large_catalog, many_photos
from benchmarks.cpu_time import ProcessUsage
from benchmarks.page_timing import VISITS, PageElements, PageTimer, Visit
from tests.e2e.browser import chromium
from tests.processes import api_process, app_process

_CHOICE = '[data-testid="stButtonGroup"] button'
PAGES = {
    "": PageElements("Is it fresh?", '[data-testid="stFileUploaderDropzone"]', ".st-key-empty"),
    "inspections": PageElements(
        "Inspections", '[data-testid="stExpander"] summary', '[class*="st-key-open_"] button'
    ),
    "history": PageElements("History", '[data-testid="stTextInput"] input', ".st-key-history-rows"),
    "training_data": PageElements("Training data", '[role="combobox"]', ".st-key-empty"),
    "retrain": PageElements(
        "Retrain",
        '[data-testid="stBaseButton-primary"]',
        '[data-testid="stDataFrame"] .dvn-scroller',
    ),
    "dataset_insights": PageElements(
        "Dataset insights", _CHOICE, ".st-key-chart-freshness .js-plotly-plot"
    ),
    "model_report": PageElements(
        "Model report", '[role="combobox"]', ".st-key-chart-confusion .js-plotly-plot"
    ),
    "monitoring": PageElements("Monitoring", _CHOICE, ".st-key-chart-timeline .js-plotly-plot"),
}
# An inspection, opened by its URL.
LOT = PageElements(
    f"Lot {large_catalog.LOT}", '[class*="st-key-lot-fruit-"] button', ".st-key-photos img"
)
# Parts of pages that load more data, with the element drawn last.
PARTS = {
    ("training_data", "Gallery"): ".st-key-photos img",
    ("training_data", "Review queue"): ".st-key-photos img",
    ("dataset_insights", "Light and size"): ".st-key-chart-light-and-colour .js-plotly-plot",
    ("dataset_insights", "Augmentation"): ".st-key-views img",
    ("dataset_insights", "Map"): '[class*="st-key-chart-map"] .js-plotly-plot',
    ("dataset_insights", "Copies"): ".st-key-chart-copies .js-plotly-plot",
}


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
        ):
            lot = large_catalog.inspect(api_url)
            usage = ProcessUsage(api.pid), ProcessUsage(app.pid)
            timer = PageTimer(ui_url, *usage)
            print(
                f"Seconds until usable and until drawn, at the first visit and as the median of\n"
                f"{VISITS} more; in brackets the CPU seconds of API, app and browser"
            )
            for address, elements in PAGES.items():
                _print_row(elements.title, timer.page(address, elements))
            _print_row(LOT.title, timer.page(f"inspections?inspection={lot}", LOT))
            for elements in list(PAGES.values())[1:]:
                link = elements.title
                _print_row(f"{link}, by its link", timer.part("", PAGES[""], link, elements))
            for (address, part), drawn in PARTS.items():
                elements = PAGES[address]
                visits = timer.part(address, elements, part, PageElements(elements.title, drawn))
                _print_row(f"{elements.title}: {part}", visits)
            many_photos.measure(ui_url, *usage)
    return 0


def _print_row(title: str, visits: list[Visit]) -> None:
    first, *others = visits
    later = Visit(
        usable=median(visit.usable for visit in others),
        drawn=median(visit.drawn for visit in others),
        api=median(visit.api for visit in others),
        app=median(visit.app for visit in others),
        browser=median(visit.browser for visit in others),
    )
    print(f"{title:32}{_cells(first)}   {_cells(later)}", flush=True)


def _cells(visit: Visit) -> str:
    cpu = f"{visit.api:.2f} {visit.app:.2f} {visit.browser:.2f}"
    return f"{visit.usable:5.2f}{visit.drawn:6.2f} ({cpu})"


if __name__ == "__main__":
    sys.exit(main())
