"""Saves catalog, photos and model packages, and restores them.

The catalog is saved before the blobs and restored after them, so that every row has its photo,
except for photos deleted while the backup was made. A restore checks everything before it writes
anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api import __version__
from api.catalog import photo_files as photos
from api.commands.backup.catalogs import PostgresCatalog, SqliteCatalog
from api.commands.backup.contents import (
    BLOBS,
    CHECKSUMS,
    FOLDERS,
    MANIFEST,
    BackupError,
    BackupManifest,
    NotEmptyError,
    blob_counts,
    blob_keys,
    check_file_count,
    check_files,
    format_checksums,
    list_files,
    model_versions,
    read_checksums,
    read_manifest,
)
from api.core.formatting import number
from api.core.imaging.hashing import content_hash
from api.registry.store import damaged_files
from api.settings import Settings
from api.storage.blobs import Blobs, make_folder
from api.storage.db import normalize_url, now
from api.storage.failures import StoreError

NO_CHECKSUMS = (
    "This backup was made by an earlier version and has no checksums. Only the names and number of "
    "its files could be checked, and the catalog by the database's own means. A photo that has "
    "changed since would not have been noticed."
)
_PUT_BACK = (
    "It is the one in use: a service restored from this backup grades with the shipped version. If "
    "your service still runs, POST /models/{version}/promote stores the files again from a cached "
    "copy; then save again. Otherwise promote another version."
)


@dataclass(frozen=True)
class BackupReport:
    """What was saved or restored.

    `damaged`: by version, files of its package that do not match its manifest. `champion`: the
    version in use.
    """

    manifest: BackupManifest
    blobs: Mapping[str, int]
    versions: list[str]
    damaged: Mapping[str, list[str]]
    champion: str | None

    @property
    def is_whole(self) -> bool:
        """Whether all stored files are in it, and the version in use can be loaded."""
        return self.champion not in self.damaged and not self.manifest.unreadable

    @property
    def lines(self) -> list[str]:
        manifest = self.manifest
        rows = ", ".join(f"{name} {count}" for name, count in manifest.tables.items())
        blobs = ", ".join(f"{name} {count}" for name, count in self.blobs.items())
        lines = [
            f"Backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC, made by version "
            f"{manifest.api_version}.",
            f"Rows in the catalog ({manifest.catalog}): {rows}.",
            f"Files: {blobs or 'none'}.",
            f"Model versions: {', '.join(self.versions) or 'none'}.",
        ]
        if manifest.gone:
            photos = number(manifest.gone, "training photo")
            lines.append(f"{photos} in the catalog had no file at the time of the backup.")
        lines += [
            f"A stored file could not be read and is not in the backup: {key}."
            for key in manifest.unreadable
        ]
        for version, files in self.damaged.items():
            lines.append(f"Version {version} is damaged in the store: {', '.join(files)}.")
            if version == self.champion:
                lines.append(_PUT_BACK.format(version=version))
        return lines if manifest.checksums else [*lines, NO_CHECKSUMS]


def save(settings: Settings, folder: Path) -> BackupReport:
    """Save everything into `folder`, new or empty. The service may be running.

    Raises NotEmptyError, BackupError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(str(folder))
    make_folder(folder.absolute())
    catalog = _catalog(settings)
    catalog.save(folder)
    tables = catalog.check(folder)
    keys, unreadable = _save_blobs(Blobs(settings.storage), _backup_blobs(folder))
    text = format_checksums(folder)
    files = Blobs(str(folder.resolve()))
    files.put(CHECKSUMS, text)
    manifest = BackupManifest(
        made_at=now(),
        api_version=__version__,
        catalog=catalog.kind,
        blobs=len(keys),
        tables=tables,
        checksums=content_hash(text),
        gone=len(catalog.photo_keys(folder) - {*keys, *unreadable}),
        unreadable=unreadable,
    )
    files.put(MANIFEST, manifest.model_dump_json(indent=2).encode())
    return _report(manifest, folder, keys, catalog.champion(folder))


def restore(settings: Settings, folder: Path) -> BackupReport:
    """Restore a backup where there is no catalog yet. After a kill, it can be run again.

    Everything is checked before anything is written. Raises BackupError, NotEmptyError,
    CatalogUnavailableError.
    """
    manifest = read_manifest(folder)
    catalog = _catalog(settings)
    if catalog.kind != manifest.catalog:
        raise BackupError(
            f"The backup is of a catalog in {manifest.catalog}, and DATABASE_URL names one in "
            f"{catalog.kind}. A catalog can only be restored to a database of the same kind."
        )
    files = list_files(folder)
    if catalog.file not in files:
        raise BackupError(f"{folder} is not a complete backup: {catalog.file} is missing.")
    checksums = read_checksums(folder, manifest)
    if checksums is None:
        check_file_count(folder, files, catalog.file, manifest.blobs)
    else:
        check_files(folder, files, checksums)
    keys = blob_keys(files)
    tables = catalog.check(folder)
    if manifest.checksums is None:
        _check_photos(catalog.photo_keys(folder), keys)
    elif (tables, len(keys)) != (manifest.tables, manifest.blobs):
        raise BackupError(
            f"{MANIFEST} does not describe the catalog and the files beside it. Nothing was "
            "restored."
        )
    target = Blobs(settings.storage)
    with catalog.locked():
        catalog.check_empty()
        _check_target(_backup_blobs(folder), target, keys)
        _restore_blobs(_backup_blobs(folder), target, keys, checksums)
        catalog.restore(folder)
    manifest = manifest.model_copy(update={"tables": tables})
    return _report(manifest, folder, keys, catalog.champion(folder))


def _report(
    manifest: BackupManifest, folder: Path, keys: list[str], champion: str | None
) -> BackupReport:
    versions, blobs = model_versions(keys), _backup_blobs(folder)
    checked = {*versions, champion} if champion else set(versions)
    damaged = {
        version: files for version in sorted(checked) if (files := damaged_files(blobs, version))
    }
    return BackupReport(manifest, blob_counts(keys), versions, damaged, champion)


def _catalog(settings: Settings) -> SqliteCatalog | PostgresCatalog:
    address = normalize_url(settings.database)
    return SqliteCatalog(address) if address.startswith("sqlite") else PostgresCatalog(address)


def _backup_blobs(folder: Path) -> Blobs:
    return Blobs(str(folder.resolve() / BLOBS))


def _save_blobs(source: Blobs, target: Blobs) -> tuple[list[str], list[str]]:
    """Copy all blobs. Returns their keys, and those of blobs that cannot be read."""
    keys, unreadable = list[str](), list[str]()
    for folder in FOLDERS:
        for key in source.keys(folder):
            try:
                data = source.get(key)
            except FileNotFoundError:  # Deleted since it was listed.
                continue
            except StoreError as error:
                if not error.is_of_one_file:
                    raise
                unreadable.append(key)
                continue
            target.put(key, data)
            keys.append(key)
    return keys, unreadable


def _check_photos(of_catalog: set[str], keys: list[str]) -> None:
    """Raises BackupError if the catalog of an old backup belongs to other photos."""
    stored = {key for key in keys if key.startswith(f"{photos.FOLDER}/")}
    if of_catalog - stored or (stored and not of_catalog):
        raise BackupError(
            "The catalog and the files of the backup do not belong together: of "
            f"{number(len(of_catalog), 'training photo')} in the catalog "
            f"{len(of_catalog & stored)} are among {number(len(stored), 'file')}. Nothing was "
            "restored."
        )


def _check_target(source: Blobs, target: Blobs, keys: list[str]) -> None:
    """Raises NotEmptyError if the store has a different file where one of the backup belongs."""
    for key in keys:
        if target.exists(key) and target.get(key) != source.get(key):
            raise NotEmptyError(f"{key} in {target.url}")


def _restore_blobs(
    source: Blobs, target: Blobs, keys: list[str], checksums: Mapping[str, str] | None
) -> None:
    """Raises BackupError for a file that changed since it was checked."""
    for key in keys:
        data = source.get(key)
        expected = checksums[f"{BLOBS}/{key}"] if checksums else None
        if expected and content_hash(data) != expected:
            raise BackupError(f"{key} changed while it was restored. Start again.")
        target.put(key, data)
