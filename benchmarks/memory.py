"""An API process's memory over many predictions."""

from dataclasses import dataclass
from itertools import pairwise

from benchmarks.load import drive, form
from benchmarks.machine import LOAD, on
from benchmarks.plan import Plan
from benchmarks.sample_images import MEDIUM, SMALL, sample_image
from benchmarks.servers import OURS, running
from benchmarks.terminal import Show

FIRST = 1000
USERS = 8


@dataclass(frozen=True)
class MemoryFigures:
    """Resident memory (10^6 bytes) by number of predictions."""

    resident: dict[int, float]


def measure(plan: Plan, show: Show) -> MemoryFigures:
    """Send small images, every tenth one medium-sized; read the memory ten times."""
    small, medium = (form(("a.jpg", sample_image(size))) for size in (SMALL, MEDIUM))
    with on(LOAD), running(OURS) as server:
        url, resident = f"{server.url}/predict", {0: server.resident_mb}
        most = plan.steady_predictions
        marks = sorted({0, FIRST, *range(0, most + 1, most // 10)})
        for before, mark in show.over(list(pairwise(marks)), "Memory"):
            step = mark - before
            for body, count in ((small, step - step // 10), (medium, step // 10)):
                outcome = drive(url, body, USERS, seconds=3600, most=count)
                if outcome.failed:
                    raise RuntimeError(f"{outcome.failed} requests failed")
            resident[mark] = server.resident_mb
    return MemoryFigures(resident)
