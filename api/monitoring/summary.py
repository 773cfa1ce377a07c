"""The last hours of the service, for its monitoring page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from api import metrics
from api.predict.tables import PredictionRow
from api.registry.repository import history

# Slices people think in; the shortest that gives no more than SLICES is taken.
WIDTHS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
SLICES = 100
NEWEST = 10_000
CHANGES = 50


class Slice(BaseModel):
    """What was graded in one slice of time."""

    start: datetime
    count: int
    unrecognised: int
    mean_confidence: float | None
    by_class: dict[str, int]


class Latency(BaseModel):
    """From photograph to grade, in the service; of the newest predictions, up to 10,000."""

    sample_size: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class ModelChange(BaseModel):
    version: str
    replaced: str | None
    kind: str = Field(description="first, gate, manual or rollback.")
    at: datetime


class Summary(BaseModel):
    since: datetime
    until: datetime
    slice_seconds: int
    predictions: int
    slices: list[Slice]
    latency: Latency | None
    failed_requests: int = Field(description="Answered with a 5xx since the service started.")
    model_changes: list[ModelChange] = Field(description="Newest first; not only of these hours.")


@dataclass(frozen=True)
class TimeBucket:
    """The predictions of one class in one slice of time; `slice` counts slices since 1970."""

    slice: int
    class_name: str
    count: int
    unrecognised: int
    confidence: float


def cells(session: Session, since: datetime, seconds: int) -> list[TimeBucket]:
    """Predictions since a time by class and by slices of `seconds`, in order of time."""
    epoch: ColumnElement[Any] = extract("epoch", PredictionRow.created_at)
    if session.get_bind().dialect.name != "sqlite":  # There it is a whole number already.
        epoch = cast(func.floor(epoch), BigInteger)
    slice_ = (epoch // seconds).label("slice")
    name = PredictionRow.predicted_class
    query = (
        select(
            slice_,
            name,
            func.count(),
            func.sum(1 - cast(PredictionRow.recognised, Integer)),
            func.avg(PredictionRow.confidence),
        )
        .where(PredictionRow.created_at >= since)
        .group_by(slice_, name)
        .order_by(slice_, name)
    )
    return [
        TimeBucket(int(at), group, count, int(unrecognised), float(confidence))
        for at, group, count, unrecognised, confidence in session.execute(query)
    ]


def newest_milliseconds(session: Session, since: datetime, limit: int) -> Sequence[float]:
    query = (
        select(PredictionRow.milliseconds)
        .where(PredictionRow.created_at >= since)
        .order_by(PredictionRow.created_at.desc())
        .limit(limit)
    )
    return session.scalars(query).all()


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


def _slices(found: list[TimeBucket], since: datetime, until: datetime, width: int) -> list[Slice]:
    """Every slice from `since` to `until`, the empty ones too."""
    first, last = int(since.timestamp()) // width, int(until.timestamp()) // width
    by_slice: dict[int, list[TimeBucket]] = {number: [] for number in range(first, last + 1)}
    for cell in found:
        by_slice.setdefault(cell.slice, []).append(cell)
    return [_slice(number * width, by_slice[number]) for number in sorted(by_slice)]


def _slice(start: int, found: list[TimeBucket]) -> Slice:
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
