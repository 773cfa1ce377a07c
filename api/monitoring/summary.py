"""The last hours of the service, for its monitoring page."""

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from api import metrics
from api.monitoring.repository import Cell, cells, newest_milliseconds
from api.monitoring.schemas import Latency, ModelChange, Slice, Summary
from api.registry.repository import history

# Slices people think in; the shortest that gives no more than SLICES is taken.
WIDTHS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
SLICES = 100
NEWEST = 10_000
CHANGES = 50


def summarise(session: Session, hours: float, at: datetime) -> Summary:
    """What was graded in the `hours` before `at`: by time, how fast, by which versions."""
    since = at - timedelta(hours=hours)
    width = next(width for width in WIDTHS if hours * 3600 / width <= SLICES)
    slices = _slices(cells(session, since, width), since, at, width)
    return Summary(
        since=since,
        until=at,
        slice_seconds=width,
        predictions=sum(item.count for item in slices),
        slices=slices,
        latency=_latency(newest_milliseconds(session, since, NEWEST)),
        failed_requests=metrics.failures(),
        model_changes=[
            ModelChange(version=row.version, replaced=row.replaced, kind=row.kind, at=row.at)
            for row in history(session, CHANGES)
        ],
    )


def _slices(found: list[Cell], since: datetime, until: datetime, width: int) -> list[Slice]:
    """Every slice from `since` to `until`, the empty ones too."""
    first, last = int(since.timestamp()) // width, int(until.timestamp()) // width
    by_slice: dict[int, list[Cell]] = {number: [] for number in range(first, last + 1)}
    for cell in found:
        by_slice.setdefault(cell.slice, []).append(cell)
    return [_slice(number * width, by_slice[number]) for number in sorted(by_slice)]


def _slice(start: int, found: list[Cell]) -> Slice:
    count = sum(cell.count for cell in found)
    return Slice(
        start=datetime.fromtimestamp(start, UTC),
        count=count,
        unrecognised=sum(cell.unrecognised for cell in found),
        mean_confidence=sum(c.confidence * c.count for c in found) / count if count else None,
        by_class={cell.class_name: cell.count for cell in found},
    )


def _latency(milliseconds: "np.typing.ArrayLike") -> Latency | None:
    times = np.asarray(milliseconds, dtype=float)
    if not times.size:
        return None
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    return Latency(sample_size=times.size, p50_ms=p50, p95_ms=p95, p99_ms=p99)
