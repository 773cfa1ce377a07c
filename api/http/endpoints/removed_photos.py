"""`/dataset/images/remove` and `/dataset/removed`: removing photos, and restoring them."""

from fastapi import APIRouter

from api.catalog import removal
from api.catalog.removed_schemas import (
    Removal,
    Removed,
    RemovedPage,
    RemovedPhoto,
    Restored,
)
from api.catalog.schemas import Selection, missing_ids
from api.catalog.service import remove_images
from api.http.deps import (
    BlobsDep,
    DatabaseDep,
    KnownPhotosDep,
    Offset,
    PageLimit,
    ReadingDep,
    SettingsDep,
)
from api.http.problems import responses
from api.http.query import CheckedRoute

REMOVED = "/dataset/removed"
router = APIRouter(
    route_class=CheckedRoute, tags=["training images"], responses=responses(503, 507)
)


@router.post("/dataset/images/remove", summary="Remove multiple images", responses=responses(422))
def remove_many(
    database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, selection: Removal
) -> Removed:
    """Remove training images. They can be restored for RIPELINE_KEEP_REMOVED_DAYS days, unless
    `for_good` deletes them permanently.
    """
    days = 0.0 if selection.for_good else settings.keep_removed_days
    if days:
        removed = removal.keep_images(database, selection.ids)
    else:
        removed = remove_images(database, blobs, selection.ids)
        removed += removal.delete_removed(database, blobs, selection.ids)
    return Removed(
        removed=len(removed), missing=missing_ids(selection.ids, removed), kept_days=days
    )


@router.get(REMOVED, summary="List removed photos", responses=responses(422))
def removed_photos(
    session: ReadingDep,
    settings: SettingsDep,
    *,
    offset: Offset = 0,
    limit: PageLimit = 50,
) -> RemovedPage:
    """List the removed images and boxed photos that can be restored, last removed first."""
    days = settings.keep_removed_days
    rows = removal.list_removed(session, offset, limit)
    return RemovedPage(
        total=removal.count(session),
        offset=offset,
        limit=limit,
        kept_days=days,
        photos=[RemovedPhoto.of(row, days) for row in rows],
    )


@router.post(f"{REMOVED}/restore", summary="Restore removed photos", responses=responses(422))
def restore(database: DatabaseDep, known: KnownPhotosDep, selection: Selection) -> Restored:
    """Restore removed photos with their class, split, boxes and feedback. A photo that has been
    added again since stays as it is now.
    """
    outcome = removal.restore(database, known, selection.ids)
    found = outcome.restored + outcome.known
    return Restored(
        restored=len(outcome.restored),
        known=sorted(outcome.known),
        missing=missing_ids(selection.ids, found),
    )
