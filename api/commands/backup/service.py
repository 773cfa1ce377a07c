"""Saves catalog, photos and model packages, and restores them.

The catalog is saved before the blobs and restored after them, so that every row has its photo,
except for photos deleted while the backup was made.
"""

from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from api import __version__
from api.catalog import service as photos
from api.commands.backup.catalogs import BackupError, NotEmptyError, PostgresCatalog, SqliteCatalog
from api.predictions import record
from api.registry import store
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import normalize_url, now

MANIFEST = "backup.json"
FOLDERS = (photos.FOLDER, store.FOLDER, record.FOLDER)


class BackupManifest(BaseModel):
    """Describes a backup. Written last: without it, a backup is incomplete."""

    made_at: AwareDatetime
    api_version: str
    catalog: str
    blobs: int


def save(settings: Settings, folder: Path) -> BackupManifest:
    """Save everything into `folder`, new or empty. The service may be running.

    Raises NotEmptyError, BackupError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    catalog = _catalog(settings)
    catalog.save(folder)
    count = _copy(Blobs(settings.storage), _backup_blobs(folder))
    manifest = BackupManifest(
        made_at=now(), api_version=__version__, catalog=catalog.kind, blobs=count
    )
    Blobs(str(folder.resolve())).put(MANIFEST, manifest.model_dump_json(indent=2).encode())
    return manifest


def restore(settings: Settings, folder: Path) -> BackupManifest:
    """Restore a backup where there is no catalog yet. After a kill, it can be run again.

    Raises BackupError, NotEmptyError, CatalogUnavailableError.
    """
    try:
        manifest = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupError(f"{folder} holds no whole backup: it has no {MANIFEST}.") from None
    catalog = _catalog(settings)
    if catalog.kind != manifest.catalog:
        raise BackupError(
            f"The backup is of a catalog in {manifest.catalog}, and DATABASE_URL names one in "
            f"{catalog.kind}. A catalog is brought back into a database of its own kind."
        )
    catalog.check_empty()
    _copy(_backup_blobs(folder), Blobs(settings.storage))
    catalog.restore(folder)
    return manifest


def _catalog(settings: Settings) -> SqliteCatalog | PostgresCatalog:
    address = normalize_url(settings.database)
    return SqliteCatalog(address) if address.startswith("sqlite") else PostgresCatalog(address)


def _backup_blobs(folder: Path) -> Blobs:
    return Blobs(str(folder.resolve() / "blobs"))


def _copy(source: Blobs, target: Blobs) -> int:
    count = 0
    for folder in FOLDERS:
        for key in source.keys(folder):
            try:
                data = source.get(key)
            except FileNotFoundError:  # Deleted since it was listed.
                continue
            target.put(key, data)
            count += 1
    return count
