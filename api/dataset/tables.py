"""The photographs that people gave to learn from."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


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
