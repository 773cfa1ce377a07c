"""The tables of training photos: of one fruit, with boxes, removed ones, and the split secret."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.storage.db import Base, UtcDateTime, now

# `ImageRow` and `BoxedPhotoRow` have a column named `bytes`.
_Bytes = bytes
RemovedKind = Literal["image", "boxed"]


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


class RemovedPhotoRow(Base):
    """One removed photo, under its old id, which can be restored for some days.

    It is moved here, out of the tables that everything else reads, so no count, list, export or run
    can include one by mistake.

    `kind`: an image, or a boxed photo, which has no class. `contents`: the other columns of its row
    (`row`), its boxes (`boxes`), and the predictions whose feedback it was made from
    (`predictions`). The other columns are as in `ImageRow`: until the photo is deleted, its source
    group keeps its name and split.
    """

    __tablename__ = "removed_photos"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[RemovedKind] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(255))
    class_name: Mapped[str | None] = mapped_column(String(80))
    photograph: Mapped[str] = mapped_column(String(200), index=True)
    split: Mapped[str] = mapped_column(String(10))
    blob: Mapped[str] = mapped_column(String(200))
    # Deferred: as in `ImageRow`.
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    contents: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


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

    A person who knows it can choose splits, so no response, log or error may contain it.
    """

    __tablename__ = "split_secret"
    __table_args__ = (CheckConstraint("id = 1", name="one_split_secret"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[bytes] = mapped_column(LargeBinary)
