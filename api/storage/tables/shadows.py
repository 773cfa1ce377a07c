"""The tables of shadow versions, which grade photos beside the one in use, and of their grades."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.core.labels import Level
from api.storage.db import Base, UtcDateTime, now

ShadowEnd = Literal["complete", "stopped", "replaced"]


class ShadowRow(Base):
    """The last time that a version graded beside the one in use.

    `beside`: the version in use then. `share`: of the photos of `/predict`, from 0 to 1. `photos`:
    it ends after this many. `active`: 1 while it lasts, then null; being unique, it allows one
    version at a time across all processes. `ended_by`: complete, stopped (by a person), or replaced
    (another version was put in use). `same`, `different` and `failed` count its grades.
    """

    __tablename__ = "shadows"
    __table_args__ = (CheckConstraint("active = 1", name="active_is_one_or_null"),)

    version: Mapped[str] = mapped_column(
        ForeignKey("models.version", ondelete="CASCADE"), primary_key=True
    )
    beside: Mapped[str] = mapped_column(String(80))
    share: Mapped[float]
    photos: Mapped[int]
    active: Mapped[int | None] = mapped_column(unique=True)
    same: Mapped[int] = mapped_column(default=0)
    different: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[ShadowEnd | None] = mapped_column(String(10))

    @property
    def left(self) -> int:
        return max(0, self.photos - self.same - self.different - self.failed)


class ShadowGradeRow(Base):
    """The grades that the version in use and the shadow version gave one photo.

    `prediction_id`: the row of the prediction may be written later, or never. A class is null if
    the photo was not recognised.
    """

    __tablename__ = "shadow_grades"

    version: Mapped[str] = mapped_column(
        ForeignKey("shadows.version", ondelete="CASCADE"), primary_key=True
    )
    prediction_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    same: Mapped[bool]
    served_class: Mapped[str | None] = mapped_column(String(80))
    served_level: Mapped[Level | None] = mapped_column(String(10))
    served_confidence: Mapped[float]
    class_name: Mapped[str | None] = mapped_column(String(80))
    level: Mapped[Level | None] = mapped_column(String(10))
    confidence: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
