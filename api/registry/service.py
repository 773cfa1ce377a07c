"""The life of model versions. Files come first and go last: a version that is listed is stored."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from api.core.errors import ConflictError
from api.model.manifest import Manifest
from api.model.package import BadPackageError, load_package
from api.registry import repository, store
from api.registry.repository import NothingToRollBackToError
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables import PromotionRow

KEPT = 5
# Longer than any storing takes, so that none in progress is taken for one that died.
UNFINISHED = timedelta(hours=1)
log = logging.getLogger(__name__)


class DamagedModelError(ConflictError):
    code = "model-damaged"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The files of version '{version}' are damaged, so it cannot serve; the service log "
            "says which. Promote another version: GET /models lists them."
        )


def register_shipped(database: Database, blobs: Blobs, folder: Path) -> None:
    """Enter the package that comes with the service; champion only where there is none yet.

    Any number of processes may do so at once. One that was pruned is not stored again. Raises
    BadPackageError.
    """
    manifest = load_package(folder).manifest
    with database.reading() as session:
        row = repository.known(session, manifest.version)
    if row is not None and row.pruned_at is not None:
        return
    store.store_package(blobs, folder)
    try:
        _enter_shipped(database, manifest)
    except IntegrityError:  # Another process came first; now its rows are there.
        _enter_shipped(database, manifest)


def _enter_shipped(database: Database, manifest: Manifest) -> None:
    with database.session() as session:
        row = repository.known(session, manifest.version)
        if row is None:
            repository.add_model(
                session,
                manifest,
                parent=manifest.parent,
                origin="shipped",
                started_by="start",
                run_id=None,
                verdict=None,
            )
        if repository.champion(session) is None:
            repository.promote(session, manifest.version, "first")


def promote(database: Database, blobs: Blobs, cache: Path, version: str) -> PromotionRow:
    """Make `version` the champion; gives the promotion by which it is.

    Raises UnknownModelError, PrunedModelError, DamagedModelError; then nothing has changed.
    """
    with database.reading() as session:
        repository.promotable(session, version)
    _check(blobs, version, cache)
    with database.session() as session:
        repository.promote(session, version, "manual")
        return repository.history(session, limit=1)[0]


def roll_back(database: Database, blobs: Blobs, cache: Path) -> PromotionRow:
    """Make the version champion that served before the present one.

    Raises NothingToRollBackToError, PrunedModelError, DamagedModelError; then nothing has changed.
    """
    with database.reading() as session:
        version = repository.predecessor(session)
        if version is None:
            raise NothingToRollBackToError()
        repository.promotable(session, version)
    _check(blobs, version, cache)
    with database.session() as session:
        repository.rollback(session)
        return repository.history(session, limit=1)[0]


def _check(blobs: Blobs, version: str, cache: Path) -> None:
    """What serves must load: fetch the package before it becomes champion."""
    try:
        store.fetch_package(blobs, version, cache)
    except BadPackageError as error:
        log.error("Version %s is not promoted: %s", version, error)
        raise DamagedModelError(version) from error


def prune(database: Database, blobs: Blobs, keep: int = KEPT) -> list[str]:
    """Remove the files of all but the `keep` newest versions; gives which.

    The champion is spared, and the version that a rollback would go to.
    """
    with database.session() as session:
        pruned = repository.mark_pruned(session, keep)
    for version in pruned:
        store.remove_package(blobs, version)
    return pruned


def finish_pruning(database: Database, blobs: Blobs) -> None:
    """Remove from the store what a pruning or a registering that died has left there."""
    stored = store.stored_versions(blobs)
    with database.reading() as session:
        rows = {version: repository.known(session, version) for version in stored}
        began = repository.began(session)
    for version, row in rows.items():
        if row.pruned_at is not None if row else _is_left_over(blobs, version, began):
            store.remove_package(blobs, version)


def _is_left_over(blobs: Blobs, version: str, began: datetime | None) -> bool:
    """Is the unknown version none that is being stored now, nor one of another catalog?

    What was stored before this catalog `began` is what a former one knows: its owner may go back.
    """
    stored = store.last_stored(blobs, version)
    return bool(stored and began and began < stored < now() - UNFINISHED)


def evict_cache(database: Database, cache: Path) -> None:
    """Remove this machine's copies of versions that are stored no more."""
    # Before the catalog is read: what is fetched meanwhile is in it and not in these.
    copies = store.copies(cache)
    with database.reading() as session:
        kept = repository.servable(session)
    store.drop_copies(cache, copies - kept)
