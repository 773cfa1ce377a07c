"""API schemas of removing training photos and restoring them."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, Field

from api.catalog.schemas import Selection
from api.storage.tables.photos import RemovedKind, RemovedPhotoRow


class Removal(Selection):
    for_good: bool = Field(
        default=False, description="Delete the images permanently, including those removed earlier."
    )


class Removed(BaseModel):
    removed: int = Field(description="Number of images removed.")
    missing: list[str] = Field(description="IDs without an image.")
    kept_days: float = Field(
        description="Days for which the images can be restored; 0 if they were deleted permanently."
    )


class Restored(BaseModel):
    """Outcome of a request to restore removed photos."""

    restored: int = Field(description="Number of photos restored.")
    known: list[str] = Field(
        description="IDs that were not restored because the same photo has been added again."
    )
    missing: list[str] = Field(
        description="IDs without a removed photo, for example because it was deleted permanently."
    )


class RemovedPhoto(BaseModel):
    """A removed training photo that can be restored."""

    id: str
    kind: RemovedKind = Field(
        description="image: restored to `/dataset/images`; boxed: to `/dataset/boxed-photos`."
    )
    filename: str
    class_name: str | None = Field(description="Class of the image; null for a boxed photo.")
    removed_at: datetime = Field(description="When the photo was removed, in UTC.")
    kept_until: datetime = Field(description="When the photo will be deleted permanently.")

    @classmethod
    def of(cls, row: RemovedPhotoRow, keep_days: float) -> Self:
        names = ("id", "kind", "filename", "class_name", "removed_at")
        return cls(
            **{name: getattr(row, name) for name in names},
            kept_until=row.removed_at + timedelta(days=keep_days),
        )


class RemovedPage(BaseModel):
    """A page of removed photos, last removed first."""

    total: int
    offset: int
    limit: int
    kept_days: float = Field(
        description="Days for which removed photos are kept; 0 if removing a photo deletes it "
        "permanently."
    )
    photos: list[RemovedPhoto]
