"""The tables of predictions, feedback on them, and thresholds that users set."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from api.core.labels import Level
from api.storage.db import Base, UtcDateTime, now


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both kinds of database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


_WITH_BLOB = _where("blob IS NOT NULL")
# SQLite uses a partial index only if its condition is worded exactly as in the query.
_SAMPLED: dict[str, Any] = {
    "sqlite_where": text("sampled IS 1"),
    "postgresql_where": text("sampled"),
}
_TO_ASK: dict[str, Any] = {
    "sqlite_where": text("sampled IS 1 AND blob IS NOT NULL AND dismissed_at IS NULL"),
    "postgresql_where": text("sampled AND blob IS NOT NULL AND dismissed_at IS NULL"),
}


class PredictionRow(Base):
    """One served prediction.

    `freshness_level`: as served, by the thresholds used then; these are in `rotten_below` and
    `fresh_from` if any fruit of the version had its own. `blob`: the photo, while the retention
    period lasts. `signature`: hexadecimal, to find near-duplicates. `features`: float16 [n], see
    `core.ood.drift_features`. `sampled`: drawn at random to ask people about; null in rows of older
    versions. `batch_id`: the same for all predictions of a batch. `several`: whether the photo
    shows several fruits, if known. `fruits`: each of them as JSON, if graded one by one; see
    `predictions.schemas.FoundFruits`. `dismissed_at`: when a person said that it is not a fruit.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_version_time", "model_version", "created_at"),
        # Partial: few predictions still have a photo.
        Index("ix_predictions_kept", "created_at", **_WITH_BLOB),
        Index("ix_predictions_worth_a_look", "recognised", "confidence", **_WITH_BLOB),
        Index(
            "ix_predictions_sampled",
            *("model_version", "dismissed_at", "id", "sampled"),
            **_SAMPLED,
        ),
        Index("ix_predictions_to_ask", "created_at", "id", **_TO_ASK),
        Index("ix_predictions_batch", "batch_id", "created_at", **_where("batch_id IS NOT NULL")),
        Index("ix_predictions_dismissed", "created_at", **_where("dismissed_at IS NOT NULL")),
        # They cover every column that a search looks at, so it reads only the rows that it shows.
        Index(
            "ix_predictions_newest",
            *("created_at", "id", "recognised", "predicted_class", "freshness_level"),
            *("confidence", "filename"),
        ),
        Index(
            "ix_predictions_least_sure",
            *("recognised", "confidence", "id", "predicted_class", "freshness_level", "created_at"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    model_version: Mapped[str] = mapped_column(String(80))
    predicted_class: Mapped[str] = mapped_column(String(80))
    confidence: Mapped[float]
    recognised: Mapped[bool]
    freshness_score: Mapped[float | None]
    freshness_level: Mapped[Level | None] = mapped_column(String(10))
    probabilities: Mapped[dict[str, float]] = mapped_column(JSON)
    milliseconds: Mapped[float]
    filename: Mapped[str] = mapped_column(String(255), default="")
    signature: Mapped[str | None] = mapped_column(String(160))
    features: Mapped[bytes | None] = mapped_column(LargeBinary)
    blob: Mapped[str | None] = mapped_column(String(200))
    sampled: Mapped[bool | None]
    batch_id: Mapped[str | None] = mapped_column(String(32))
    several: Mapped[bool | None]
    # Deferred: up to 50 fruits.
    fruits: Mapped[str | None] = mapped_column(Text, deferred=True)
    dismissed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rotten_below: Mapped[float | None]
    fresh_from: Mapped[float | None]


class FeedbackRow(Base):
    """A person's label for one prediction; newer feedback replaces it.

    `correct`: whether the prediction was right. `image_id`: the training image made from it, if
    the photo was still stored; its class is always `label`. `asked`: whether the person was asked
    for it because the prediction is in the random sample.
    """

    __tablename__ = "feedback"

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(80))
    correct: Mapped[bool]
    image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    asked: Mapped[bool | None]


class FreshnessThresholdsRow(Base):
    """User-set thresholds for all processes: one row, or none while the defaults apply."""

    __tablename__ = "freshness_thresholds"
    __table_args__ = (CheckConstraint("id = 1", name="one_pair_of_thresholds"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rotten_below: Mapped[float]
    fresh_from: Mapped[float]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class FruitThresholdsRow(Base):
    """One fruit's own thresholds in one version.

    `costs`: the costs that they were chosen by, see `predictions.fruit_thresholds.LevelCosts`.
    """

    __tablename__ = "fruit_thresholds"

    version: Mapped[str] = mapped_column(
        ForeignKey("models.version", ondelete="CASCADE"), primary_key=True
    )
    fruit: Mapped[str] = mapped_column(String(80), primary_key=True)
    rotten_below: Mapped[float]
    fresh_from: Mapped[float]
    costs: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
