"""What people said of predictions, in the catalog, within a session that the caller opens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field
from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.storage.db import now, upsert
from api.storage.tables import FeedbackRow, PredictionRow

# How many words there are, and how many of them say that the prediction was right.
_COUNTED = select(func.count(), func.sum(cast(FeedbackRow.correct, Integer))).join(
    PredictionRow, PredictionRow.id == FeedbackRow.prediction_id
)


class Accuracy(BaseModel):
    words: int
    correct: int
    accuracy: float | None = Field(description="correct / words; null without any.")

    @classmethod
    def of(cls, words: int, correct: int) -> Self:
        return cls(words=words, correct=correct, accuracy=correct / words if words else None)


def put(
    session: Session, prediction_id: str, label: str, correct: bool, image_id: str | None
) -> None:
    """Write the word; one that is there already is replaced."""
    values = {"label": label, "correct": correct, "image_id": image_id, "created_at": now()}
    upsert(session, FeedbackRow, {"prediction_id": prediction_id}, values)


def accuracy(session: Session, since: datetime | None = None) -> Accuracy:
    """Of all words, or of those since a time."""
    query = _COUNTED if since is None else _COUNTED.where(FeedbackRow.created_at >= since)
    words, correct = session.execute(query).one()
    return Accuracy.of(words, correct or 0)


def accuracies(session: Session, by: InstrumentedAttribute[str]) -> dict[str, Accuracy]:
    """Of all words, for each value of a column, in order."""
    rows = session.execute(_COUNTED.add_columns(by).group_by(by).order_by(by))
    return {group: Accuracy.of(words, correct) for words, correct, group in rows}


def newest_feedback(session: Session, model_version: str, limit: int) -> Sequence[bool]:
    """Whether each of the newest predictions of a version that have feedback was right."""
    query = (
        select(FeedbackRow.correct)
        .join(PredictionRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(PredictionRow.model_version == model_version)
        .order_by(FeedbackRow.created_at.desc())
        .limit(limit)
    )
    return session.scalars(query).all()


def by_uncertainty(session: Session, offset: int, limit: int) -> Sequence[PredictionRow]:
    """Predictions without feedback whose photograph is kept: unrecognised, then least sure."""
    labelled = select(FeedbackRow.prediction_id)
    query = (
        select(PredictionRow)
        .where(PredictionRow.blob.is_not(None), PredictionRow.id.not_in(labelled))
        .order_by(PredictionRow.recognised, PredictionRow.confidence, PredictionRow.id)
        .offset(offset)
        .limit(limit)
    )
    return session.scalars(query).all()


def labelled_signatures(session: Session, limit: int) -> Sequence[str]:
    """Signatures of the predictions that people labelled last."""
    query = (
        select(PredictionRow.signature)
        .join(FeedbackRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(PredictionRow.signature.is_not(None))
        .order_by(FeedbackRow.created_at.desc())
        .limit(limit)
    )
    return [signature for signature in session.scalars(query) if signature]
