"""API schemas of inspections and their photos that were removed and can be restored."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, Field

from api.inspections.removal import RemovedPhoto
from api.storage.tables.inspections import InspectionPhotoRow, InspectionRow


class _Removed(BaseModel):
    """`kept_until`: then it is deleted for good."""

    id: str
    removed_at: datetime = Field(description="When it was removed, in UTC.")
    kept_until: datetime = Field(description="When it will be deleted permanently, in UTC.")


class RemovedInspection(_Removed):
    lot: str
    supplier: str
    photos: int = Field(description="Number of photos that are restored with the inspection.")

    @classmethod
    def of(cls, row: InspectionRow, photos: int, keep_days: float) -> Self:
        times = _times(row, keep_days)
        return cls(id=row.id, lot=row.lot, supplier=row.supplier, photos=photos, **times)


class RemovedInspectionPhoto(_Removed):
    number: int = Field(description="Number of the photo in its inspection, from 1.")
    filename: str
    fruits: int = Field(description="Number of fruits in the photo.")

    @classmethod
    def of(cls, photo: RemovedPhoto, keep_days: float) -> Self:
        row, times = photo.row, _times(photo.row, keep_days)
        return cls(
            id=row.id, number=row.number, filename=photo.filename, fruits=photo.fruits, **times
        )


class _Page(BaseModel):
    total: int
    offset: int
    limit: int
    kept_days: float = Field(
        description="Days for which removed inspections and photos are kept; 0 if removing them "
        "deletes them permanently."
    )


class RemovedInspectionPage(_Page):
    """A page of removed inspections, last removed first."""

    inspections: list[RemovedInspection]


class RemovedInspectionPhotoPage(_Page):
    """A page of removed photos, last removed first."""

    photos: list[RemovedInspectionPhoto]


def _times(row: InspectionRow | InspectionPhotoRow, keep_days: float) -> dict[str, datetime]:
    if row.removed_at is None:
        raise ValueError("it was not removed")
    return {
        "removed_at": row.removed_at,
        "kept_until": row.removed_at + timedelta(days=keep_days),
    }
