"""Saving catalog, photographs and model packages, and bringing them back.

The catalog is saved before the blobs, and brought back after them: no row is ever without its
photograph, but for what was removed on purpose while the backup was made.
"""

from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from api import __version__
from api.catalog import service as photos
from api.commands.backup.catalogs import BackupError, NotEmptyError, PostgresCatalog, SqliteCatalog
from api.predictions import retention
from api.registry import store
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import normalize_url, now

MANIFEST = "backup.json"
FOLDERS = (photos.FOLDER, store.FOLDER, retention.FOLDER)


class BackupManifest(BaseModel):
    """What a backup says of itself; written last, so that one without it is no backup."""

    made_at: AwareDatetime
    api_version: str
    catalog: str
    blobs: int


def save(settings: Settings, folder: Path) -> BackupManifest:
    """Save everything into the new or empty `folder`, while the service runs.

    Raises NotEmptyError and what saving the catalog raises.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    catalog = _catalog(settings)
    catalog.save(folder)
    count = _copy(Blobs(settings.storage), _stored(folder))
    note = BackupManifest(made_at=now(), api_version=__version__, catalog=catalog.kind, blobs=count)
    Blobs(str(folder.resolve())).put(MANIFEST, note.model_dump_json(indent=2).encode())
    return note


def restore(settings: Settings, folder: Path) -> BackupManifest:
    """Bring a backup back where there is no catalog yet; one that was killed can be run again.

    Raises BackupError, also as NotEmptyError, and what the catalog raises.
    """
    try:
        note = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupError(f"{folder} holds no whole backup: it has no {MANIFEST}.") from None
    catalog = _catalog(settings)
    if catalog.kind != note.catalog:
        raise BackupError(
            f"The backup is of a catalog in {note.catalog}, and DATABASE_URL names one in "
            f"{catalog.kind}. A catalog is brought back into a database of its own kind."
        )
    catalog.check_empty()
    _copy(_stored(folder), Blobs(settings.storage))
    catalog.restore(folder)
    return note


def _catalog(settings: Settings) -> SqliteCatalog | PostgresCatalog:
    address = normalize_url(settings.database)
    return SqliteCatalog(address) if address.startswith("sqlite") else PostgresCatalog(address)


def _stored(folder: Path) -> Blobs:
    return Blobs(str(folder.resolve() / "blobs"))


def _copy(source: Blobs, target: Blobs) -> int:
    count = 0
    for folder in FOLDERS:
        for key in source.keys(folder):
            try:
                data = source.get(key)
            except FileNotFoundError:  # Removed since it was listed.
                continue
            target.put(key, data)
            count += 1
    return count
