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
from tests.e2e.browser import chromium
from tests.processes import api_process, app_process

_CHOICE = '[data-testid="stButtonGroup"] button'
SEEN = {
    "": Seen("Is it fresh?", '[data-testid="stFileUploaderDropzone"]', ".st-key-empty"),
    "training_data": Seen("Training data", '[role="combobox"]', ".st-key-empty"),
    "retrain": Seen(
        "Retrain",
        '[data-testid="stBaseButton-primary"]',
        '[data-testid="stDataFrame"] .dvn-scroller',
    ),
    "dataset_insights": Seen(
        "Dataset insights", _CHOICE, ".st-key-chart-freshness .js-plotly-plot"
    ),
    "model_report": Seen(
        "Model report", '[role="combobox"]', ".st-key-chart-confusion .js-plotly-plot"
    ),
    "monitoring": Seen("Monitoring", _CHOICE, ".st-key-chart-timeline .js-plotly-plot"),
}
# Of all pages but the first, where a person comes from.
LINKS = ("Training data", "Retrain", "Dataset insights", "Model report", "Monitoring")
# Parts of pages that have more to load than the page, and what is seen of them.
PARTS = {
    ("training_data", "Gallery"): ".st-key-pictures img",
    ("training_data", "Review queue"): ".st-key-pictures img",
    ("dataset_insights", "Light and size"): ".st-key-chart-looks .js-plotly-plot",
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
            spent = Spent(api.pid), Spent(app.pid)
            visitor = Visitor(ui_url, *spent)
            print(
                f"Seconds until it can be used and until all is drawn, the first time and the\n"
                f"median of {VISITS} more; in brackets those of processors in API, app and browser"
            )
            for address, seen in SEEN.items():
                _tell(seen.title, visitor.page(address, seen))
            for seen, link in zip(list(SEEN.values())[1:], LINKS, strict=True):
                _tell(f"{seen.title}, by its link", visitor.part("", SEEN[""], link, seen))
            for (address, part), drawn in PARTS.items():
                seen = SEEN[address]
                visits = visitor.part(address, seen, part, Seen(seen.title, drawn))
                _tell(f"{seen.title}: {part}", visits)
            many_photos.measure(ui_url, *spent)
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
