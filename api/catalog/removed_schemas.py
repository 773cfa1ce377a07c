"""API schemas of removing training photos and restoring them."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, Field

from api.catalog.schemas import Selection
from api.storage.removed_table import RemovedKind, RemovedPhotoRow


class Removal(Selection):
    for_good: bool = Field(
        default=False, description="Delete them at once, also those that were removed before."
    )


class Removed(BaseModel):
    removed: int
    missing: list[str] = Field(description="Ids without an image.")
    kept_days: float = Field(description="For so long they can be restored; 0: they are deleted.")


class Restored(BaseModel):
    """What became of removed photos that were to come back."""

    restored: int
    known: list[str] = Field(
        description="Not restored, as the same photo was added again meanwhile."
    )
    missing: list[str] = Field(description="Ids without a removed photo: it was deleted.")


class RemovedPhoto(BaseModel):
    """A training photo that was removed. As an image it has a class, with boxes none."""

    id: str
    kind: RemovedKind
    filename: str
    class_name: str | None
    removed_at: datetime
    kept_until: datetime

    @classmethod
    def of(cls, row: RemovedPhotoRow, keep_days: float) -> Self:
        names = ("id", "kind", "filename", "class_name", "removed_at")
        return cls(
            **{name: getattr(row, name) for name in names},
            kept_until=row.removed_at + timedelta(days=keep_days),
        )


class RemovedPage(BaseModel):
    """The last removed first."""

    total: int
    offset: int
    limit: int
    kept_days: float = Field(description="For so long removed photos are kept; 0: not at all.")
    photos: list[RemovedPhoto]
