"""Every table of the catalog.

Times are aware UTC; identifiers are hexadecimal UUIDs. A change here needs a migration in
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
from api.storage.db import Base, UtcDateTime, now

_KEPT: dict[str, Any] = {
    "sqlite_where": text("blob IS NOT NULL"),
    "postgresql_where": text("blob IS NOT NULL"),
}


class ImageRow(Base):
    """One stored photograph.

    `sha256` is of the bytes that were sent, so that the same file is known again; the blob holds
    them without their metadata, `bytes` long. `signature` is hexadecimal (see `imaging.hashing`);
    `photograph` names the group of near-duplicates that share a split; `origin` is upload, feedback
    or review. `brightness`, `saturation` and `hue` are those of `dataset.appearance`.
    """

    __tablename__ = "images"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
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
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


class PredictionRow(Base):
    """One served prediction.

    `freshness_level` is what was answered, by the thresholds of that moment. `blob` is the
    photograph, where the retention setting lets it be kept; `signature` (hexadecimal) tells
    near-duplicates; `features` are float16 [n], the `drift_features` of the photograph.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_version_time", "model_version", "created_at"),
        # Few photographs are kept of many predictions: what asks for these looks at no others.
        Index("ix_predictions_kept", "created_at", **_KEPT),
        Index("ix_predictions_worth_a_look", "recognised", "confidence", **_KEPT),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
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


class FreshnessThresholdsRow(Base):
    """One row, for all processes; none while the model's own thresholds hold."""

    __tablename__ = "freshness_thresholds"
    __table_args__ = (CheckConstraint("id = 1", name="one_pair_of_thresholds"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rotten_below: Mapped[float]
    fresh_from: Mapped[float]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class ModelRow(Base):
    """One package that was finished and stored.

    `origin` is shipped, fast or full; `started_by` a person ("manual") or a trigger
    ("trigger:drift"); `verdict` what the gate said of it. `pruned_at` is set when its files were
    removed to make room: it stays in the history, but cannot serve any more.
    """

    __tablename__ = "models"

    version: Mapped[str] = mapped_column(String(80), primary_key=True)
    parent: Mapped[str | None] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(10))
    started_by: Mapped[str] = mapped_column(String(40))
    run_id: Mapped[str | None] = mapped_column(String(32))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    pruned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChampionRow(Base):
    """The version that serves: one row, so that there is never more than one champion."""

    __tablename__ = "champion"
    __table_args__ = (CheckConstraint("id = 1", name="one_champion"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(ForeignKey("models.version"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class PromotionRow(Base):
    """History of champions, newest last. `kind` is first, gate, manual or rollback."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    version: Mapped[str] = mapped_column(ForeignKey("models.version"))
    replaced: Mapped[str | None] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class RunRow(Base):
    """One run.

    `state` is queued, running, succeeded, failed, cancelled or interrupted. `active` is 1 while it
    is queued or running and null after: being unique, it lets one run be active at a time, across
    all processes. `progress` goes from 0 to 100; `losses` has one entry an epoch. A running run
    whose `heartbeat_at` is old has lost its worker.
    """

    __tablename__ = "runs"
    __table_args__ = (CheckConstraint("active = 1", name="active_is_one_or_null"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
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


class TriggerRow(Base):
    """One trigger that was changed from its defaults or has fired. Null means the default.

    `scheduled_at` is when `schedule` was set: what was due before does not count.
    """

    __tablename__ = "triggers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    enabled: Mapped[bool | None]
    threshold: Mapped[float | None]
    cooldown_hours: Mapped[float | None]
    schedule: Mapped[str | None] = mapped_column(String(20))
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_run_id: Mapped[str | None] = mapped_column(String(32))


# Of all tables, for migrations.
METADATA = Base.metadata
