"""Inspections and their photos that were removed: listing and restoring them."""

from fastapi import APIRouter

from api.http.deps import DatabaseDep, Offset, PageLimit, ReadingDep, SettingsDep
from api.http.endpoints.inspections import INSPECTION, PHOTO
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.inspections import removal, repository
from api.inspections.removed_schemas import (
    RemovedInspection,
    RemovedInspectionPage,
    RemovedInspectionPhoto,
    RemovedInspectionPhotoPage,
)
from api.inspections.schemas import Inspection, InspectionPhoto, load

router = APIRouter(route_class=CheckedRoute, tags=["inspections"], responses=responses(503, 507))


@router.get(
    "/removed-inspections",
    summary="List removed inspections",
    responses=responses(422),
)
def removed_inspections(
    session: ReadingDep, settings: SettingsDep, offset: Offset = 0, limit: PageLimit = 50
) -> RemovedInspectionPage:
    """List the removed inspections that can be restored, last removed first."""
    days = settings.keep_removed_days
    total, page = removal.removed_inspections(session, offset, limit)
    return RemovedInspectionPage(
        total=total,
        offset=offset,
        limit=limit,
        kept_days=days,
        inspections=[RemovedInspection.of(row, photos, days) for row, photos in page],
    )


@router.get(
    f"{INSPECTION}/removed-photos",
    summary="List removed photos of an inspection",
    responses=responses(404, 422),
)
def removed_photos(
    session: ReadingDep,
    settings: SettingsDep,
    inspection_id: str,
    offset: Offset = 0,
    limit: PageLimit = 50,
) -> RemovedInspectionPhotoPage:
    """List the removed photos of an inspection that can be restored, last removed first."""
    repository.get(session, inspection_id)
    days = settings.keep_removed_days
    total, page = removal.removed_photos(session, inspection_id, offset, limit)
    return RemovedInspectionPhotoPage(
        total=total,
        offset=offset,
        limit=limit,
        kept_days=days,
        photos=[RemovedInspectionPhoto.of(photo, days) for photo in page],
    )


@router.post(
    f"{INSPECTION}/restore",
    summary="Restore an inspection",
    responses=responses(404, 422),
)
def restore_inspection(
    database: DatabaseDep, session: ReadingDep, inspection_id: str
) -> Inspection:
    """Restore a removed inspection with its photos and corrections."""
    return load(session, [removal.restore_inspection(database, inspection_id)])[0]


@router.post(
    f"{PHOTO}/restore",
    summary="Restore a photo of an inspection",
    responses=responses(404, 409, 422),
)
def restore_photo(database: DatabaseDep, inspection_id: str, photo_id: str) -> InspectionPhoto:
    """Restore a removed photo with its fruits and corrections. Returns 404 if the same file has
    been added again since.
    """
    return InspectionPhoto.of(removal.restore_photo(database, inspection_id, photo_id))
