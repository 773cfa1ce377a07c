"""Retraining runs. The queue only says that there is one; what it is stands here."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


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
