"""Counting what happened, within a session that the caller opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from api.predict.tables import PredictionRow
from api.retrain.tables import RunRow


@dataclass(frozen=True)
class Cell:
    """The predictions of one class in one slice of time; `slice` counts slices since 1970."""

    slice: int
    class_name: str
    count: int
    unrecognised: int
    confidence: float


def cells(session: Session, since: datetime, seconds: int) -> list[Cell]:
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
        Cell(int(at), group, count, int(unrecognised), float(confidence))
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


def runs_by_state(session: Session) -> dict[str, int]:
    query = select(RunRow.state, func.count()).group_by(RunRow.state)
    return {state: count for state, count in session.execute(query)}  # noqa: C416  (rows)
