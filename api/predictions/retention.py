"""Retention: stored images of predictions are deleted after RIPELINE_KEEP_PREDICTED_DAYS."""

from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import exists, select, update

from api.predictions.record import FOLDER
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.inspection_tables import InspectionPhotoRow
from api.storage.tables import PredictionRow

CHUNK = 500


def sweep_predicted(
    database: Database, blobs: Blobs, keep_days: float, at: datetime | None = None
) -> int:
    """Delete the images of predictions older than `keep_days`, not their rows; returns how many.

    Also those that were removed from inspections and could still be restored. A blob is deleted
    before its row is updated, so a crash leaves no blob behind. Blobs whose row was never written
    are deleted by the day in their key.
    """
    cutoff = (at or now()) - timedelta(days=keep_days)
    swept = 0
    while old := _expired(database, cutoff):
        for blob in old.values():
            blobs.delete(blob)
        with database.session() as session:
            for table in (PredictionRow, InspectionPhotoRow):
                session.execute(update(table).where(table.id.in_(old)).values(blob=None))
        swept += len(old)
    for key in blobs.keys(FOLDER):
        day = _day(key)
        if day is not None and day < cutoff.date():
            blobs.delete(key)
    return swept


def _expired(database: Database, cutoff: datetime) -> dict[str, str]:
    """The next predictions whose image has expired: id to blob."""
    is_old = PredictionRow.created_at < cutoff
    kept = select(PredictionRow.id, PredictionRow.blob)
    kept = kept.where(PredictionRow.blob.is_not(None), is_old).limit(CHUNK)
    # Removed photos are few. A join might begin with all old predictions.
    of_old = exists().where(PredictionRow.id == InspectionPhotoRow.id, is_old)
    removed = (
        select(InspectionPhotoRow.id, InspectionPhotoRow.blob)
        .where(
            InspectionPhotoRow.removed_at.is_not(None), InspectionPhotoRow.blob.is_not(None), of_old
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
