"""What people said of predictions, in the catalog, within a session that the caller opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, cast, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.db import Base, UtcDateTime, now, upsert
from api.predict.tables import PredictionRow


class FeedbackRow(Base):
    """The right label of one prediction; a later word on the same prediction replaces it.

    `correct` says whether the prediction was right; `image_id` is the training image made of it,
    where its photograph was still kept.
    """

    __tablename__ = "feedback"

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(80))
    correct: Mapped[bool]
    image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


@dataclass(frozen=True)
class FeedbackCount:
    """How many words on one group of predictions, and how many of them said that it was right."""

    group: str
    words: int
    correct: int


def put(
    session: Session, prediction_id: str, label: str, correct: bool, image_id: str | None
) -> None:
    """Write the word; one that is there already is replaced."""
    values = {"label": label, "correct": correct, "image_id": image_id, "created_at": now()}
    upsert(session, FeedbackRow, {"prediction_id": prediction_id}, values)


def tallies(
    session: Session, by: str | None = None, since: datetime | None = None
) -> list[FeedbackCount]:
    """Words since a time, by "label", by "model_version" or all together."""
    groups = {"label": FeedbackRow.label, "model_version": PredictionRow.model_version}
    right = func.sum(cast(FeedbackRow.correct, Integer))
    query = select(func.count(), right).join(
        PredictionRow, PredictionRow.id == FeedbackRow.prediction_id
    )
    if since is not None:
        query = query.where(FeedbackRow.created_at >= since)
    if by is None:
        words, correct = session.execute(query).one()
        return [FeedbackCount("", words, correct or 0)]
    column = groups[by]
    rows = session.execute(query.add_columns(column).group_by(column).order_by(column))
    return [FeedbackCount(group, words, correct) for words, correct, group in rows]


def newest_words(session: Session, model_version: str, limit: int) -> Sequence[bool]:
    """Whether each of the newest predictions of a version that have feedback was right."""
    query = (
        select(FeedbackRow.correct)
        .join(PredictionRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(PredictionRow.model_version == model_version)
        .order_by(FeedbackRow.created_at.desc())
        .limit(limit)
    )
    return session.scalars(query).all()


def worth_labelling(session: Session, offset: int, limit: int) -> Sequence[PredictionRow]:
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
