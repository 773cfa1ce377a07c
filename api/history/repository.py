"""Reading the predictions that were recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from api.feedback.tables import FeedbackRow
from api.predict.tables import PredictionRow


@dataclass(frozen=True)
class Filter:
    """Which predictions; None means any. `below` is a confidence."""

    class_name: str | None = None
    recognised: bool | None = None
    below: float | None = None
    model_version: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        wanted = {
            PredictionRow.predicted_class: self.class_name,
            PredictionRow.recognised: self.recognised,
            PredictionRow.model_version: self.model_version,
        }
        chosen = [column == value for column, value in wanted.items() if value is not None]
        if self.below is not None:
            chosen.append(PredictionRow.confidence < self.below)
        return chosen


def listed(
    session: Session, wanted: Filter, offset: int, limit: int
) -> Sequence[tuple[PredictionRow, str | None]]:
    """Predictions with the label that people gave them, newest first."""
    query = (
        _labelled()
        .where(*wanted.conditions)
        .order_by(PredictionRow.created_at.desc(), PredictionRow.id)
        .offset(offset)
        .limit(limit)
    )
    return session.execute(query).all()


def count(session: Session, wanted: Filter) -> int:
    query = select(func.count()).select_from(PredictionRow).where(*wanted.conditions)
    return session.scalar(query) or 0


def find(session: Session, prediction_id: str) -> tuple[PredictionRow, str | None] | None:
    query = _labelled().where(PredictionRow.id == prediction_id)
    return session.execute(query).one_or_none()


def _labelled() -> Select[PredictionRow, str | None]:
    label = FeedbackRow.label
    return select(PredictionRow, label).outerjoin(
        FeedbackRow, FeedbackRow.prediction_id == PredictionRow.id
    )
