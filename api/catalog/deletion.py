"""Removing images: the row first, then the blob, so that no row is ever without its blob."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from api.catalog import repository
from api.catalog.ingest import PHOTOGRAPHS
from api.storage.blobs import Blobs
from api.storage.db import Database, now

# A blob this young may belong to an upload that has not written its row yet.
ORPHAN_AGE = timedelta(hours=1)
log = logging.getLogger(__name__)


def remove_images(database: Database, blobs: Blobs, image_ids: Sequence[str]) -> list[str]:
    """Remove images and their photographs. Gives the ids of those that were there."""
    with database.session() as session:
        repository.write_alone(session)
        removed = repository.remove(session, image_ids)
    for _, key in removed:
        _remove_unused(database, blobs, key)
    return [image_id for image_id, _ in removed]


def sweep_orphans(database: Database, blobs: Blobs) -> int:
    """Remove photographs that no row refers to, left by a process that died between blob and row.

    To be called at start-up. Gives how many were removed.
    """
    with database.reading() as session:
        used = repository.blobs_used(session)
    removed = 0
    for key in blobs.keys(PHOTOGRAPHS):
        if key not in used and _is_old(blobs, key):
            removed += _remove_unused(database, blobs, key)
    if removed:
        log.info("Removed %d photographs that belong to no image.", removed)
    return removed


def _is_old(blobs: Blobs, key: str) -> bool:
    try:
        return blobs.modified_at(key) < now() - ORPHAN_AGE
    except FileNotFoundError:  # Another process sweeps too.
        return False


def _remove_unused(database: Database, blobs: Blobs, key: str) -> bool:
    """Remove the blob unless a row refers to it by now. Says whether it did."""
    # Within the transaction, so that nobody adds a row for it meanwhile.
    with database.session() as session:
        repository.write_alone(session)
        if repository.is_blob_used(session, key):
            return False
        blobs.delete(key)
    return True
