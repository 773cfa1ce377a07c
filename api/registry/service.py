"""Registering model packages: first the files, then the row."""

from pathlib import Path
from typing import Any

from api.blobs import Blobs
from api.db import Database
from api.registry import repository
from api.registry.repository import Kind, Origin
from api.registry.store import store_package


def register(
    database: Database,
    blobs: Blobs,
    folder: Path,
    *,
    parent: str | None,
    origin: Origin,
    started_by: str,
    run_id: str | None,
    verdict: dict[str, Any] | None,
    promote_as: Kind | None,
) -> None:
    """Store the package in `folder` and enter it; with `promote_as` it serves from then on.

    It is entered and promoted in one transaction, after its files are stored. Raises
    BadPackageError.
    """
    manifest = store_package(blobs, folder)
    with database.session() as session:
        repository.add_model(
            session,
            manifest,
            parent=parent,
            origin=origin,
            started_by=started_by,
            run_id=run_id,
            verdict=verdict,
        )
        if promote_as:
            repository.promote(session, manifest.version, promote_as)
