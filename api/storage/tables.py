"""The tables of the catalog.

Times are timezone-aware UTC; ids are hexadecimal UUIDs. A change here needs a migration in
`migrations/versions`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from api.core.labels import Level

# Imported to register their tables.
from api.storage import (  # noqa: F401
    inspection_tables,
    removed_table,
    shadow_tables,
    trigger_tables,
)
from api.storage.db import Base, UtcDateTime, now

# `ImageRow` and `BoxedPhotoRow` have a column named `bytes`.
_Bytes = bytes


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


class ImageRow(Base):
    """One training photo.

    `sha256`: hash of the uploaded bytes, to recognise the same file. `blob`: the photo without its
    metadata, `bytes` long. `signature`: hexadecimal, see `core.imaging.hashing`. `photograph`: the
    group of near-duplicates that share a split. `origin`: upload, feedback or review.
    `brightness`, `saturation`, `hue`: see `core.appearance`. `number`: see `PhotoCounterRow`; 0 in
    older catalogs. `unreadable`: why a run could not read
    the photo when it last tried. `thumbnail`: a JPEG of 64x64 pixels, to recognise copies; null
    for images of older catalogs.
    """

    __tablename__ = "images"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(default=0, index=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    signature: Mapped[str] = mapped_column(String(160))
    class_name: Mapped[str] = mapped_column(String(80), index=True)
    photograph: Mapped[str] = mapped_column(String(200), index=True)
    split: Mapped[str] = mapped_column(String(10), index=True)
    origin: Mapped[str] = mapped_column(String(10), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    brightness: Mapped[float]
    saturation: Mapped[float]
    hue: Mapped[float]
    blob: Mapped[str] = mapped_column(String(200))
    unreadable: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    # Deferred: lists of images have no use for it.
    thumbnail: Mapped[_Bytes | None] = mapped_column(LargeBinary, deferred=True)


class BoxedPhotoRow(Base):
    """One photo with boxes around its fruits, which teaches the detector.

    As `ImageRow`, in upright pixels of the stored photo. `origin`: upload or feedback. `complete`:
    whether every fruit has a box. `prediction_id`: the prediction whose photo it is, if any.
    """

    __tablename__ = "boxed_photos"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(default=0, index=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    signature: Mapped[str] = mapped_column(String(160))
    photograph: Mapped[str] = mapped_column(String(200), index=True)
    split: Mapped[str] = mapped_column(String(10), index=True)
    origin: Mapped[str] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(255))
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    blob: Mapped[str] = mapped_column(String(200))
    complete: Mapped[bool]
    prediction_id: Mapped[str | None] = mapped_column(
        ForeignKey("predictions.id", ondelete="SET NULL"), unique=True
    )
    unreadable: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    # Deferred: as in `ImageRow`.
    thumbnail: Mapped[_Bytes | None] = mapped_column(LargeBinary, deferred=True)


class BoxRow(Base):
    """A box around one fruit of a boxed photo. `class_name`: null if only its place is known."""

    __tablename__ = "boxes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    boxed_photo_id: Mapped[str] = mapped_column(
        ForeignKey("boxed_photos.id", ondelete="CASCADE"), index=True
    )
    x_min: Mapped[float]
    y_min: Mapped[float]
    x_max: Mapped[float]
    y_max: Mapped[float]
    class_name: Mapped[str | None] = mapped_column(String(80), index=True)


class PhotoCounterRow(Base):
    """The number of the photo that was added or restored last. One row.

    Photos are numbered in the order in which they become visible to other processes, whatever the
    clocks say, so a reader finds those that are new to it.
    """

    __tablename__ = "photo_counter"
    __table_args__ = (CheckConstraint("id = 1", name="one_photo_counter"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int]


class SplitSecretRow(Base):
    """The secret that decides the split of added photos. One row, made with the first photo.

    Whoever reads it can choose splits, so no response, log or error may contain it.
    """

    __tablename__ = "split_secret"
    __table_args__ = (CheckConstraint("id = 1", name="one_split_secret"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[bytes] = mapped_column(LargeBinary)


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


class ModelRow(Base):
    """One model version whose package was stored.

    `number`: orders the versions, see `storage.ids.next_number`. `origin`: shipped, fast, full or
    detector. `started_by`: a person ("manual") or a trigger ("trigger:drift"). `verdict`: that of
    the promotion gate. `pruned_at`: when its files were deleted to free space; the record stays,
    but the version cannot serve. A person writes `name` and `note`.
    """

    __tablename__ = "models"

    version: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(default=0, server_default="0")
    parent: Mapped[str | None] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(10))
    started_by: Mapped[str] = mapped_column(String(40))
    run_id: Mapped[str | None] = mapped_column(String(32))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    pruned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(Text, default="", server_default="")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")


class ChampionRow(Base):
    """The version that serves. One row, so there is never more than one champion."""

    __tablename__ = "champion"
    __table_args__ = (CheckConstraint("id = 1", name="one_champion"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(ForeignKey("models.version"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class PromotionRow(Base):
    """One change of the champion. `kind`: first, gate, manual or rollback."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    version: Mapped[str] = mapped_column(ForeignKey("models.version"))
    replaced: Mapped[str | None] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class RunRow(Base):
    """One retraining run.

    `number`: orders the runs, see `storage.ids.next_number`. `state`: queued, running, succeeded,
    failed, cancelled or interrupted. `active`: 1 while queued or running, then null; being unique,
    it allows one active run across all processes. `progress`: 0 to 100. `losses`: one entry per
    epoch. `heartbeat_at`: changes while the worker lives, and means nothing else; see
    `retraining.run_watcher`.
    """

    __tablename__ = "runs"
    __table_args__ = (CheckConstraint("active = 1", name="active_is_one_or_null"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(default=0, server_default="0")
    mode: Mapped[str] = mapped_column(String(10))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    started_by: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12), index=True)
    active: Mapped[int | None] = mapped_column(unique=True)
    stage: Mapped[str] = mapped_column(String(80), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    progress: Mapped[float] = mapped_column(default=0.0)
    eta_seconds: Mapped[float | None]
    losses: Mapped[list[dict[str, float]]] = mapped_column(JSON, default=list)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    candidate: Mapped[str | None] = mapped_column(String(80))
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


# Imported from here, not from db, so that every table is registered.
METADATA = Base.metadata
