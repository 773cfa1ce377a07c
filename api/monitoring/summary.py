"""Summary of the last hours, for the monitoring page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from api.core import telemetry
from api.registry.repository import history
from api.storage.tables.predictions import PredictionRow

# Of a slice, in seconds. The shortest that needs no more than MAX_SLICES is used.
WIDTHS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
MAX_SLICES = 100
MAX_LATENCIES = 10_000
MAX_MODEL_CHANGES = 50


class Slice(BaseModel):
    """Predictions in one time bucket."""

    start: datetime = Field(
        description="Start of the bucket, in UTC; buckets are `slice_seconds` long."
    )
    count: int = Field(description="Number of predictions, of recognised photos or not.")
    unrecognised: int = Field(
        description="Number of predictions of photos that were not recognised."
    )
    mean_confidence: float | None = Field(
        description="Mean confidence of all predictions, 0 to 1; null without any."
    )
    by_class: dict[str, int] = Field(description="Number of recognised photos by predicted class.")


class Latency(BaseModel):
    """Time from photo to grade within the service, in milliseconds, over the newest predictions (up
    to 10,000).
    """

    sample_size: int = Field(description="Number of predictions measured.")
    p50_ms: float
    p95_ms: float
    p99_ms: float


class ModelChange(BaseModel):
    version: str = Field(description="Version that was put in use.")
    replaced: str | None = Field(description="Version in use before; null for the first one.")
    kind: str = Field(description="Reason for the change: first, gate, manual or rollback.")
    at: datetime = Field(description="When the version was put in use, in UTC.")


class Summary(BaseModel):
    since: datetime = Field(description="Start of the period, in UTC.")
    until: datetime = Field(description="End of the period, in UTC: the time of the request.")
    slice_seconds: int = Field(description="Length of a time bucket, in seconds.")
    predictions: int = Field(description="Number of predictions in the period.")
    slices: list[Slice] = Field(
        description="All time buckets of the period, oldest first, including empty ones."
    )
    latency: Latency | None = Field(description="Null without predictions in the period.")
    failed_requests: int = Field(description="Number of 5xx responses since the service started.")
    model_changes: list[ModelChange] = Field(
        description="Changes of the current version, newest first, including those before `since`."
    )


def summarise(session: Session, hours: float, at: datetime) -> Summary:
    """Predictions in the `hours` before `at`, their latency, and changes of the model."""
    since = at - timedelta(hours=hours)
    width = next(width for width in WIDTHS if hours * 3600 / width <= MAX_SLICES)
    slices = _slices(session, since, at, width)
    return Summary(
        since=since,
        until=at,
        slice_seconds=width,
        predictions=sum(item.count for item in slices),
        slices=slices,
        latency=_latency(session, since, at),
        failed_requests=telemetry.server_errors(),
        model_changes=[
            ModelChange.model_validate(row, from_attributes=True)
            for row in history(session, MAX_MODEL_CHANGES)
        ],
    )


def _slices(session: Session, since: datetime, until: datetime, width: int) -> list[Slice]:
    """All slices of `width` seconds from `since` to `until`, including empty ones."""
    epoch: ColumnElement[Any] = extract("epoch", PredictionRow.created_at)
    if session.get_bind().dialect.name != "sqlite":  # SQLite returns an integer.
        epoch = cast(func.floor(epoch), BigInteger)
    number = (epoch // width).label("slice")
    name = PredictionRow.predicted_class
    query = (
        select(
            number,
            name,
            func.count(),
            func.sum(1 - cast(PredictionRow.recognised, Integer)),
            func.avg(PredictionRow.confidence),
        )
        .where(PredictionRow.created_at.between(since, until))
        .group_by(number, name)
        .order_by(number, name)
    )
    first, last = int(since.timestamp()) // width, int(until.timestamp()) // width
    slices: dict[int, list[tuple[str, int, int, float]]] = {k: [] for k in range(first, last + 1)}
    for k, group, count, unrecognised, confidence in session.execute(query):
        slices[int(k)].append((group, count, int(unrecognised), float(confidence)))
    return [_slice(k * width, slices[k]) for k in sorted(slices)]


def _slice(start: int, classes: list[tuple[str, int, int, float]]) -> Slice:
    """`classes`: name, count, unrecognised count and mean confidence of each."""
    count = sum(count for _, count, _, _ in classes)
    return Slice(
        start=datetime.fromtimestamp(start, UTC),
        count=count,
        unrecognised=sum(unrecognised for _, _, unrecognised, _ in classes),
        mean_confidence=sum(n * mean for _, n, _, mean in classes) / count if count else None,
        by_class={name: count - unknown for name, count, unknown, _ in classes if count > unknown},
    )


def _latency(session: Session, since: datetime, until: datetime) -> Latency | None:
    query = (
        select(PredictionRow.milliseconds)
        .where(PredictionRow.created_at.between(since, until))
        .order_by(PredictionRow.created_at.desc())
        .limit(MAX_LATENCIES)
    )
    times = session.scalars(query).all()
    if not times:
        return None
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    return Latency(sample_size=len(times), p50_ms=p50, p95_ms=p95, p99_ms=p99)
