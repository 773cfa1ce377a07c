"""Model versions, and which of them serves."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


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
