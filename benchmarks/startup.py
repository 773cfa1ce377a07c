"""Time from the start of the process to the first prediction."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.load import drive, form
from benchmarks.machine import LOAD, on
from benchmarks.plan import Plan
from benchmarks.sample_images import SMALL, sample_image
from benchmarks.servers import OURS, running
from benchmarks.terminal import Show


@dataclass(frozen=True)
class StartupFigures:
    """Median seconds with an empty state folder, and with the catalog of an earlier start."""

    first: float
    later: float


def measure(plan: Plan, show: Show) -> StartupFigures:
    first, later = [], []
    with on(LOAD):
        for _ in show.over(range(plan.starts), "Start to first prediction"):
            with tempfile.TemporaryDirectory(prefix="ripeline-bench-") as folder:
                first.append(_seconds(Path(folder)))
                later.append(_seconds(Path(folder)))
    return StartupFigures(median(first), median(later))


def _seconds(state: Path) -> float:
    body = form(("orange.jpg", sample_image(SMALL)))
    with running(OURS, state=state) as server:
        drive(f"{server.url}/predict", body, users=1, seconds=60, most=1)
        return time.monotonic() - server.started_at
