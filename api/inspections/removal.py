"""Removing inspections and their photos so that they can be restored for some days.

A removed row stays, with a mark that hides it. The predictions of removed photos have no picture,
so no page shows them.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.catalog.thumbnails import read_thumbnail
from api.inspections import repository
from api.inspections.repository import InspectionNotFoundError, InspectionPhotoNotFoundError, Photo
from api.inspections.service import InspectionService, check_not_full, find_same
from api.storage.db import Database, now
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow

CHUNK = 100


@dataclass(frozen=True)
class RemovedPhoto:
    """A photo of an inspection that was removed, its file's name, and how many fruits it has."""

    row: InspectionPhotoRow
    filename: str
    fruits: int


def keep_photo(database: Database, inspection_id: str, photo_id: str) -> None:
    """Remove a photo, to be restored or swept later.

    Raises InspectionNotFoundError, InspectionPhotoNotFoundError.
    """
    with database.session() as session:
        repository.get(session, inspection_id, lock=True)
        photo = repository.photo(session, inspection_id, photo_id)
        repeated = repository.forget_repetitions(session, photo_id)
        _hide(photo.row, photo.prediction, now())
        photo.row.repeated_by = repeated


def keep_inspection(database: Database, inspection_id: str) -> None:
    """Remove an inspection with its photos, to be restored or swept later.

    Raises InspectionNotFoundError.
    """
    with database.session() as session:
        inspection = repository.get(session, inspection_id, lock=True)
        inspection.removed_at = at = now()
        for row in repository.photo_rows(session, inspection_id):
            if row.removed_at is None:
                _hide(row, session.get_one(PredictionRow, row.id), at)


def restore_photo(database: Database, inspection_id: str, photo_id: str) -> Photo:
    """Bring a photo back with its corrections. One that was not removed is left alone.

    Raises InspectionNotFoundError, InspectionPhotoNotFoundError, InspectionFullError.
    """
    with database.session() as session:
        repository.get(session, inspection_id, lock=True)
        row, prediction = repository.any_photo(session, inspection_id, photo_id)
        if row.removed_at is not None:
            check_not_full(repository.photo_count(session, inspection_id))
            _show(row, prediction)
            rows = repository.photo_rows(session, inspection_id)
            _link_repetitions(row, rows)
        session.flush()
        return repository.photo(session, inspection_id, photo_id)


def restore_inspection(database: Database, inspection_id: str) -> InspectionRow:
    """Bring an inspection back with the photos that it had. Raises InspectionNotFoundError."""
    with database.session() as session:
        inspection = repository.get_any(session, inspection_id)
        removed_at, inspection.removed_at = inspection.removed_at, None
        if removed_at is not None:
            for row in repository.photo_rows(session, inspection_id):
                if row.removed_at == removed_at:
                    _show(row, session.get_one(PredictionRow, row.id))
        return inspection


def removed_inspections(
    session: Session, offset: int, limit: int
) -> tuple[int, list[tuple[InspectionRow, int]]]:
    """Their number, and a page of them, each with its number of photos; the last removed first."""
    photos = (
        select(func.count())
        .where(
            InspectionPhotoRow.inspection_id == InspectionRow.id,
            InspectionPhotoRow.removed_at == InspectionRow.removed_at,
        )
        .scalar_subquery()
    )
    removed = InspectionRow.removed_at.is_not(None)
    query = select(InspectionRow, photos).where(removed)
    query = query.order_by(InspectionRow.removed_at.desc(), InspectionRow.id)
    page = [(row, count) for row, count in session.execute(query.offset(offset).limit(limit))]
    return session.scalar(select(func.count()).select_from(InspectionRow).where(removed)) or 0, page


def removed_photos(
    session: Session, inspection_id: str, offset: int, limit: int
) -> tuple[int, list[RemovedPhoto]]:
    """Like `removed_inspections`, for the photos of one inspection."""
    row = InspectionPhotoRow
    removed = (row.inspection_id == inspection_id, row.removed_at.is_not(None))
    fruits = select(func.count()).where(InspectionFruitRow.photo_id == row.id, repository.IS_FRUIT)
    query = (
        select(row, PredictionRow.filename, fruits.scalar_subquery())
        .join(PredictionRow, PredictionRow.id == row.id)
        .where(*removed)
        .order_by(row.removed_at.desc(), row.number)
    )
    page = [RemovedPhoto(*one) for one in session.execute(query.offset(offset).limit(limit))]
    return session.scalar(select(func.count()).select_from(row).where(*removed)) or 0, page


def sweep_removed(service: InspectionService, keep_days: float, at: datetime) -> int:
    """Delete for good what was removed more than `keep_days` ago; returns the number of inspections
    and photos.
    """
    cutoff, swept = at - timedelta(days=keep_days), 0
    inspections = select(InspectionRow.id).where(InspectionRow.removed_at < cutoff).limit(CHUNK)
    # Photos of a removed inspection go with it.
    photos = (
        select(InspectionPhotoRow.inspection_id, InspectionPhotoRow.id)
        .join(InspectionRow, InspectionRow.id == InspectionPhotoRow.inspection_id)
        .where(InspectionPhotoRow.removed_at < cutoff, InspectionRow.removed_at.is_(None))
        .limit(CHUNK)
    )
    while True:
        with service.database.reading() as session:
            old = [(one, None) for one in session.scalars(inspections)]
            found = [*old, *((one, photo_id) for one, photo_id in session.execute(photos))]
        if not found:
            return swept
        for inspection_id, photo_id in found:
            # Restored or deleted meanwhile.
            with suppress(InspectionNotFoundError, InspectionPhotoNotFoundError):
                if photo_id is None:
                    service.delete(inspection_id, only_removed=True)
                else:
                    service.remove_photo(inspection_id, photo_id, only_removed=True)
                swept += 1


def _hide(row: InspectionPhotoRow, prediction: PredictionRow, at: datetime) -> None:
    row.removed_at, row.blob, prediction.blob = at, prediction.blob, None


def _show(row: InspectionPhotoRow, prediction: PredictionRow) -> None:
    row.removed_at, prediction.blob, row.blob = None, row.blob, None


def _link_repetitions(row: InspectionPhotoRow, rows: Sequence[InspectionPhotoRow]) -> None:
    """Link photos of the same fruits: those linked before the removal, and those added since."""
    repeated, row.repeated_by = row.repeated_by or {}, None
    for one in rows:
        if one.id in repeated and one.same_as is None and one.counted is None:
            one.same_as, one.counted = row.id, repeated[one.id]
    if row.same_as is None and row.thumbnail:
        others = [one for one in rows if row.id not in (one.id, one.same_as)]
        row.same_as = find_same(read_thumbnail(row.thumbnail), others)
