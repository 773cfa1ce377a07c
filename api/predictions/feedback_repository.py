"""Feedback in the catalog: writing it, and the accuracy it gives."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field
from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.storage.db import now, upsert
from api.storage.tables.predictions import FeedbackRow, PredictionRow

# The number of predictions with feedback, and of those whose feedback confirms them.
_COUNTED = select(func.count(), func.sum(cast(FeedbackRow.correct, Integer))).join(
    PredictionRow, PredictionRow.id == FeedbackRow.prediction_id
)


class Accuracy(BaseModel):
    words: int = Field(description="Number of predictions with feedback.")
    correct: int = Field(description="Number of those whose predicted class was correct.")
    accuracy: float | None = Field(
        description="`correct` divided by `words`, 0 to 1; null without feedback."
    )

    @classmethod
    def of(cls, words: int, correct: int) -> Self:
        return cls(words=words, correct=correct, accuracy=correct / words if words else None)


def put(
    session: Session,
    prediction_id: str,
    label: str,
    correct: bool,
    image_id: str | None,
    *,
    asked: bool = False,
) -> None:
    """Insert or replace the feedback on a prediction. Once `asked`, it stays marked as such."""
    values: dict[str, Any] = {
        "label": label,
        "correct": correct,
        "image_id": image_id,
        "created_at": now(),
    }
    if asked:
        values["asked"] = True
    upsert(session, FeedbackRow, {"prediction_id": prediction_id}, values)


def accuracy(session: Session, since: datetime | None = None) -> Accuracy:
    """Over all feedback, or since a time."""
    query = _COUNTED if since is None else _COUNTED.where(FeedbackRow.created_at >= since)
    words, correct = session.execute(query).one()
    return Accuracy.of(words, correct or 0)


def accuracies(session: Session, by: InstrumentedAttribute[str]) -> dict[str, Accuracy]:
    """Over all feedback, for each value of the column `by`, in order."""
    rows = session.execute(_COUNTED.add_columns(by).group_by(by).order_by(by))
    return {group: Accuracy.of(words, correct) for words, correct, group in rows}
