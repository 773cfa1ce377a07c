"""The tables of model versions, the champion, promotions and retraining runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.storage.db import Base, UtcDateTime, now


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
