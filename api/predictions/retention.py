"""Retention: stored images of predictions are deleted after RIPELINE_KEEP_PREDICTED_DAYS."""

from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import select, update

from api.predictions.record import FOLDER
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables import PredictionRow

CHUNK = 500


def sweep_predicted(
    database: Database, blobs: Blobs, keep_days: float, at: datetime | None = None
) -> int:
    """Delete the images of predictions older than `keep_days`, not their rows; returns how many.

    A blob is deleted before its row is updated, so a crash leaves no blob behind. Blobs whose row
    was never written are deleted by the day in their key.
    """
    cutoff = (at or now()) - timedelta(days=keep_days)
    swept = 0
    while old := _expired(database, cutoff):
        for blob in old.values():
            blobs.delete(blob)
        with database.session() as session:
            session.execute(
                update(PredictionRow).where(PredictionRow.id.in_(old)).values(blob=None)
            )
        swept += len(old)
    for key in blobs.keys(FOLDER):
        day = _day(key)
        if day is not None and day < cutoff.date():
            blobs.delete(key)
    return swept


def _expired(database: Database, cutoff: datetime) -> dict[str, str]:
    """The next predictions whose image has expired: id to blob."""
    query = (
        select(PredictionRow.id, PredictionRow.blob)
        .where(PredictionRow.blob.is_not(None), PredictionRow.created_at < cutoff)
        .limit(CHUNK)
    )
    with database.reading() as session:
        return {name: blob for name, blob in session.execute(query) if blob}


def _day(key: str) -> date | None:
    try:
        return date.fromisoformat(PurePosixPath(key).parts[1])
    except (IndexError, ValueError):
        return None
