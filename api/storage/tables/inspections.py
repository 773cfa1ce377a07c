"""The tables of inspections, with the conventions of `tables`."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from api.core.labels import Level
from api.storage.db import Base, UtcDateTime, now

# What a person may say of a fruit.
Said = Literal["fresh", "past_best", "rotten", "no_fruit"]
_REMOVED = text("removed_at IS NOT NULL")
_WHERE: dict[str, Any] = {"sqlite_where": _REMOVED, "postgresql_where": _REMOVED}


class InspectionRow(Base):
    """One inspection of a lot.

    `kind`: the kind of fruit, empty for mixed lots. `max_rotten`, `max_past_best`: the shares
    tolerated (null: any). `confidence`: that of a verdict. `removed_at`: null unless it was
    removed, with its photos; it can be restored for some days.
    """

    __tablename__ = "inspections"
    __table_args__ = (Index("ix_inspections_removed", "removed_at", **_WHERE),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    lot: Mapped[str] = mapped_column(String(120), index=True)
    supplier: Mapped[str] = mapped_column(String(120), index=True)
    kind: Mapped[str] = mapped_column(String(80))
    max_rotten: Mapped[float]
    max_past_best: Mapped[float | None]
    confidence: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InspectionPhotoRow(Base):
    """One photo of an inspection; its id is that of its prediction, which has the pixels.

    `number`: from 1, in the inspection. `sha256`: of the file as sent. `width`, `height`: of the
    upright photo, in pixels like the boxes. `ungraded`: number of fruits that were found but not
    graded, beyond the limit. `same_as`: an earlier photo that seems to show the same fruits.
    `counted`: whether a person said that it counts nevertheless; null counts. `thumbnail`: a JPEG
    of 64x64 pixels, while the photo is kept.

    `removed_at`: null unless it was removed, alone or with its inspection, whose time it then has.
    Meanwhile `blob` is the photo, which its prediction no longer has, and `repeated_by` keeps the
    `counted` of each photo whose `same_as` was this one, by id.
    """

    __tablename__ = "inspection_photos"
    __table_args__ = (
        Index("ix_inspection_photos_removed", "removed_at", **_WHERE),
        UniqueConstraint("inspection_id", "number"),
        UniqueConstraint("inspection_id", "sha256", name="uq_inspection_photos_sha256"),
    )

    id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.id", ondelete="CASCADE"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    ungraded: Mapped[int]
    same_as: Mapped[str | None] = mapped_column(String(32))
    counted: Mapped[bool | None]
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blob: Mapped[str | None] = mapped_column(String(200))
    repeated_by: Mapped[dict[str, bool | None] | None] = mapped_column(JSON(none_as_null=True))


class InspectionFruitRow(Base):
    """One fruit of an inspection's photo, as graded, and what a person said it is.

    `number`: from 1, in the photo. `freshness_level`: as graded; null if none, or not recognised.
    `rotten_below`, `fresh_from`: its thresholds, as in `PredictionRow`.
    `said`: what a person said it is; always set for a fruit that the grader missed (`added`).
    """

    __tablename__ = "inspection_fruits"
    __table_args__ = (UniqueConstraint("photo_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    photo_id: Mapped[str] = mapped_column(ForeignKey("inspection_photos.id", ondelete="CASCADE"))
    number: Mapped[int]
    x_min: Mapped[float]
    y_min: Mapped[float]
    x_max: Mapped[float]
    y_max: Mapped[float]
    predicted_class: Mapped[str | None] = mapped_column(String(80))
    confidence: Mapped[float | None]
    recognised: Mapped[bool]
    freshness_score: Mapped[float | None]
    freshness_level: Mapped[Level | None] = mapped_column(String(10))
    said: Mapped[Said | None] = mapped_column(String(10))
    added: Mapped[bool] = mapped_column(default=False)
    rotten_below: Mapped[float | None]
    fresh_from: Mapped[float | None]
