"""An API process's memory over many predictions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from benchmarks.load import drive, form
from benchmarks.machine import LOAD, on
from benchmarks.plan import Plan
from benchmarks.sample_images import MEDIUM, SMALL, sample_image
from benchmarks.servers import OURS, Server, running
from benchmarks.terminal import Show

FIRST = 1000
USERS = 8
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class MemoryFigures:
    """Resident memory (10^6 bytes) by number of predictions, and at most.

    Each is the median since the number before: a single reading may hit the moment of a query,
    which takes 10 MB for a second or two. `peak` is None in reports that have single readings.
    """

    resident: dict[int, float]
    peak: float | None = None


def measure(plan: Plan, show: Show) -> MemoryFigures:
    """Send small images, every tenth one medium-sized; read the memory all the while."""
    small, medium = (form(("a.jpg", sample_image(size))) for size in (SMALL, MEDIUM))
    with on(LOAD), running(OURS) as server:
        url, resident = f"{server.url}/predict", {0: server.resident_mb}
        peak = resident[0]
        most = plan.steady_predictions
        marks = sorted({0, FIRST, *range(0, most + 1, most // 10)})
        for before, mark in show.over(list(pairwise(marks)), "Memory"):
            step = mark - before
            with _sampling(server) as samples:
                for body, count in ((small, step - step // 10), (medium, step // 10)):
                    outcome = drive(url, body, USERS, seconds=3600, most=count)
                    if outcome.failed:
                        raise RuntimeError(f"{outcome.failed} requests failed")
            resident[mark], peak = median(samples), max(peak, *samples)
    return MemoryFigures(resident, peak)


@contextmanager
def _sampling(server: Server) -> Iterator[list[float]]:
    """The readings of its memory until the end, at least one."""
    samples: list[float] = []
    ended = threading.Event()

    def sample() -> None:
        samples.append(server.resident_mb)
        while not ended.wait(SAMPLE_SECONDS):
            samples.append(server.resident_mb)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
