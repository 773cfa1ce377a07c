"""Retention: stored images of predictions are deleted after RIPELINE_KEEP_PREDICTED_DAYS."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import exists, select, update

from api.predictions.record import FOLDER
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.inspections import InspectionPhotoRow
from api.storage.tables.predictions import PredictionRow

CHUNK = 500


def sweep_predicted(
    database: Database, blobs: Blobs, keep_days: float, at: datetime | None = None
) -> int:
    """Delete the images of predictions older than `keep_days`, not their rows; returns how many.

    This includes images that were removed from inspections and could still be restored. A blob is
    deleted before its row is updated, so a crash leaves no blob behind; if it cannot be deleted,
    the next sweep tries again. Blobs whose row was never written are deleted by the day in their
    key.
    """
    cutoff = (at or now()) - timedelta(days=keep_days)
    swept, failed = 0, list[str]()
    while old := _expired(database, cutoff, failed):
        failed += blobs.delete_each(dict.fromkeys(old.values()))
        gone = [name for name, blob in old.items() if blob not in failed]
        with database.session() as session:
            for table in (PredictionRow, InspectionPhotoRow):
                session.execute(update(table).where(table.id.in_(gone)).values(blob=None))
        swept += len(gone)
    days = ((key, _day(key)) for key in blobs.keys(FOLDER))
    blobs.delete_each(key for key, day in days if day is not None and day < cutoff.date())
    return swept


def _expired(database: Database, cutoff: datetime, failed: Sequence[str]) -> dict[str, str]:
    """The blobs of the next predictions whose image has expired, by ID, except those in
    `failed`."""
    is_old = PredictionRow.created_at < cutoff
    kept = select(PredictionRow.id, PredictionRow.blob)
    kept = kept.where(
        PredictionRow.blob.is_not(None), PredictionRow.blob.not_in(failed), is_old
    ).limit(CHUNK)
    # Removed photos are few, but a join might start from all old predictions.
    of_old = exists().where(PredictionRow.id == InspectionPhotoRow.id, is_old)
    removed = (
        select(InspectionPhotoRow.id, InspectionPhotoRow.blob)
        .where(
            InspectionPhotoRow.removed_at.is_not(None),
            InspectionPhotoRow.blob.is_not(None),
            InspectionPhotoRow.blob.not_in(failed),
            of_old,
        )
        .limit(CHUNK)
    )
    with database.reading() as session:
        rows = [*session.execute(kept), *session.execute(removed)]
        return {name: blob for name, blob in rows if blob}


def _day(key: str) -> date | None:
    try:
        return date.fromisoformat(PurePosixPath(key).parts[1])
    except (IndexError, ValueError):
        return None
