"""The tables of triggers, their suggestions, and the notifications that were sent."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.settings import TriggerMode
from api.storage.db import Base, UtcDateTime, now

SuggestionState = Literal["open", "accepted", "dismissed", "withdrawn"]


class TriggerRow(Base):
    """A trigger that was configured or has fired. Null means the default.

    `mode`: off, suggest, start or start_and_promote. `enabled`: whether `mode` is not off, for
    processes of an older version beside this one. `scheduled_at`: when `schedule` was set, or its
    suggestion dismissed; earlier due times do not count. `last_photos`: a hash of the photos of its
    last run, see `retraining.plan.RetrainPlan.photos`. `attempts`: 1, and 1 for each run without
    a result directly before the last one; see `monitoring.trigger_rules`.
    """

    __tablename__ = "triggers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    enabled: Mapped[bool | None]
    mode: Mapped[TriggerMode | None] = mapped_column(String(20))
    threshold: Mapped[float | None]
    cooldown_hours: Mapped[float | None]
    schedule: Mapped[str | None] = mapped_column(String(20))
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_run_id: Mapped[str | None] = mapped_column(String(32))
    last_photos: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class SuggestionRow(Base):
    """A retraining that a trigger suggested.

    `state`: open, accepted, dismissed or withdrawn. `active`: 1 while it is open, or dismissed with
    no new reason since, then null; being unique by trigger, it allows one at a time across all
    processes. `version`: the champion then. `value` and `threshold` are the trigger's.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        UniqueConstraint("trigger_name", "active"),
        CheckConstraint("active = 1", name="active_is_one_or_null"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    trigger_name: Mapped[str] = mapped_column(ForeignKey("triggers.name"))
    state: Mapped[SuggestionState] = mapped_column(String(10))
    active: Mapped[int | None]
    version: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    value: Mapped[float | None]
    threshold: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_id: Mapped[str | None] = mapped_column(String(32))


class NotificationRow(Base):
    """A notification that one process has claimed, so that no other sends it.

    `event`: what it reports, such as `run:<id>`. `failed`: how many receivers have not got it so
    far; null while it is being sent, or if its process died meanwhile.
    """

    __tablename__ = "notifications"

    event: Mapped[str] = mapped_column(String(50), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    failed: Mapped[int | None]
