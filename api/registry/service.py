"""Registering, promoting and pruning model versions.

Files are stored before their row and deleted after it is marked pruned, so every version listed as
available has its files.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from api.core.errors import ConflictError
from api.model.manifest import Manifest
from api.model.package import BadPackageError, Package, read_manifest
from api.model.predictor import Predictor
from api.registry import repository, store
from api.settings import EngineName
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.failures import StoreError
from api.storage.tables.models import ModelRow, PromotionRow

KEEP_VERSIONS = 5
# Longer than storing a package takes.
STORING_TIMEOUT = timedelta(hours=1)
log = logging.getLogger(__name__)


class DamagedModelError(ConflictError):
    code = "model-damaged"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version '{version}' cannot serve: its files are damaged, or the engine in "
            "RIPELINE_ENGINE cannot run it; the service log says which. Promote another version: "
            "GET /models lists them."
        )


def register_shipped(database: Database, blobs: Blobs, folder: Path) -> None:
    """Register the package shipped with the service; promote it if there is no champion yet.

    Safe to call from several processes at once. A pruned package is not stored again. Raises
    BadPackageError.
    """
    manifest = read_manifest(folder)
    with database.reading() as session:
        row = session.get(ModelRow, manifest.version)
    if row is not None and row.pruned_at is not None:
        return
    manifest = store.store_package(blobs, folder)
    try:
        _add_shipped(database, manifest)
    except IntegrityError:  # Another process was faster; now its rows are there.
        _add_shipped(database, manifest)


def _add_shipped(database: Database, manifest: Manifest) -> None:
    with database.session() as session:
        if session.get(ModelRow, manifest.version) is None:
            repository.add_model(session, manifest, origin="shipped", started_by="start")
        if repository.champion_version(session) is None:
            repository.promote(session, manifest.version, "first")


def promote(
    database: Database, blobs: Blobs, cache: Path, version: str, engine: EngineName = "litert"
) -> PromotionRow:
    """`repository.promote`, after verifying the package. Raises DamagedModelError as well."""
    with database.reading() as session:
        repository.check_promotable(session, version)
    _put_back(blobs, check_package(blobs, version, cache, engine))
    with database.session() as session:
        return repository.promote(session, version, "manual")


def roll_back(
    database: Database,
    blobs: Blobs,
    cache: Path,
    engine: EngineName = "litert",
    to: str | None = None,
) -> PromotionRow:
    """`repository.rollback`, after verifying the package. Raises DamagedModelError as well."""
    with database.reading() as session:
        if to is not None and repository.champion_version(session) == to:
            return repository.history(session, limit=1)[0]
        version = repository.checked_rollback_target(session, to)
        repository.check_promotable(session, version)
    package = check_package(blobs, version, cache, engine)
    try:
        _put_back(blobs, package)
    except OSError as error:  # A rollback must not wait until the store works again.
        log.warning("The stored files of version %s are not verified: %s", version, error)
    with database.session() as session:
        # To the verified version: another rollback may have been faster.
        return repository.rollback(session, version)


def _put_back(blobs: Blobs, package: Package) -> None:
    """Other machines load the version from the store, so files damaged there are replaced by this
    machine's copies."""
    if damaged := store.put_back(blobs, package):
        log.warning("%s of version %s were damaged.", damaged, package.manifest.version)


def check_package(blobs: Blobs, version: str, cache: Path, engine: EngineName) -> Package:
    """Fetch the package and grade its probe with `engine`: a champion must be able to grade. Its
    detector, if it has one, is run on the probe too. Raises DamagedModelError."""
    try:
        package = store.fetch_package(blobs, version, cache)
        Predictor.of_package(package, engine=engine)
    except (BadPackageError, ValueError, RuntimeError) as error:
        log.error("Version %s is not promoted: %s", version, error)
        raise DamagedModelError(version) from error
    return package


def fetch_package(blobs: Blobs, version: str, cache: Path) -> Package:
    """`store.fetch_package`; raises DamagedModelError for a damaged one."""
    try:
        return store.fetch_package(blobs, version, cache)
    except BadPackageError as error:
        log.error("Version %s cannot be read: %s", version, error)
        raise DamagedModelError(version) from error


def prune(database: Database, blobs: Blobs, keep: int = KEEP_VERSIONS) -> list[str]:
    """Delete the files of the versions that `repository.mark_pruned` marks; returns these."""
    with database.session() as session:
        pruned = repository.mark_pruned(session, keep)
    try:
        blobs.delete_each(pruned, partial(store.delete_package, blobs))
    except StoreError as error:
        log.warning("Files of old versions are deleted later: %s", error)
    return pruned


def clean_up_store(database: Database, blobs: Blobs) -> None:
    """Delete packages left by a process that died while it pruned or registered one."""
    stored = store.stored_versions(blobs)
    with database.reading() as session:
        rows = {version: session.get(ModelRow, version) for version in stored}
        created = repository.first_promotion_at(session)

    def delete(version: str) -> None:
        row = rows[version]
        is_left_over = row.pruned_at is not None if row else _is_abandoned(blobs, version, created)
        if is_left_over:
            store.delete_package(blobs, version)

    blobs.delete_each(rows, delete)


def _is_abandoned(blobs: Blobs, version: str, catalog_created: datetime | None) -> bool:
    """Whether no process is still storing this version, which has no row.

    Packages older than this catalog are kept: they belong to a previous catalog, which its owner
    may go back to.
    """
    stored = store.last_stored(blobs, version)
    return bool(stored and catalog_created and catalog_created < stored < now() - STORING_TIMEOUT)


def evict_cache(database: Database, cache: Path) -> None:
    """Delete cached copies of versions that are no longer stored."""
    # Before the catalog is read: a version cached from now on is not evicted.
    cached = store.cached_versions(cache)
    with database.reading() as session:
        available = repository.available_versions(session)
    store.evict(cache, cached - available)
