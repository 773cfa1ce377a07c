"""Saves catalog, photos and model packages, and restores them.

The catalog is saved before the blobs and restored after them, so that every row has its photo,
except for photos deleted while the backup was made. It is copied by SQLite's online backup, or by
pg_dump and pg_restore.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api import __version__
from api.catalog import service as photos
from api.core.errors import CatalogUnavailableError, ProblemError
from api.predictions import record
from api.registry import store
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database, normalize_url, now

MANIFEST = "backup.json"
# The role that restores may be another than the one that saved.
UNPRIVILEGED = ("--no-owner", "--no-privileges")
FOLDERS = (photos.FOLDER, store.FOLDER, record.FOLDER)


class BackupError(ProblemError):
    code = "no-backup"


class NotEmptyError(BackupError):
    code = "not-empty"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not empty, and nothing is ever overwritten. Name another, or empty it "
            "yourself."
        )


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
    if not (folder / catalog.file).is_file():
        raise BackupError(f"{folder} holds no whole backup: it has no {catalog.file}.")
    catalog.check_empty()
    _copy(_backup_blobs(folder), Blobs(settings.storage))
    catalog.restore(folder)
    return manifest


def _catalog(settings: Settings) -> "SqliteCatalog | PostgresCatalog":
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


class SqliteCatalog:
    """The database at a `sqlite:///` address."""

    kind = "SQLite"
    file = "catalog.db"

    def __init__(self, address: str) -> None:
        self._path = Path(make_url(address).database or "")

    def save(self, folder: Path) -> None:
        """A consistent copy, while others write. Raises BackupError."""
        if not self._path.is_file():
            raise BackupError(f"There is no catalog at {self._path}, so nothing to save.")
        with (
            closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(folder / self.file)) as copy,
        ):
            live.backup(copy)

    def check_empty(self) -> None:
        """Raises NotEmptyError."""
        if self._path.exists():
            raise NotEmptyError(str(self._path))

    def restore(self, folder: Path) -> None:
        """Atomic: the catalog appears once it is complete."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in ("-wal", "-shm"):  # Left by a database that was deleted without them.
            Path(f"{self._path}{leftover}").unlink(missing_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.restoring")
        temporary.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(folder / self.file)) as saved,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            saved.backup(copy)
        temporary.replace(self._path)


class PostgresCatalog:
    """The database at a `postgresql://` address."""

    kind = "PostgreSQL"
    file = "catalog.dump"

    def __init__(self, address: str) -> None:
        url = make_url(address).set(drivername="postgresql")
        self._address = address
        self._password = str(url.password or "")
        # The process list shows arguments to everybody, so the password is not among them.
        self._url_without_password = url.set(password=None).render_as_string()

    def save(self, folder: Path) -> None:
        """A consistent dump, while others write. Raises BackupError."""
        path = str(folder / self.file)
        self._run("pg_dump", "--format=custom", *UNPRIVILEGED, "--file", path)

    def check_empty(self) -> None:
        """Raises NotEmptyError, CatalogUnavailableError."""
        database = Database(self._address)
        try:
            if inspect(database.engine).get_table_names():
                raise NotEmptyError(self._url_without_password)
        except UNAVAILABLE as error:
            raise CatalogUnavailableError() from error
        finally:
            database.close()

    def restore(self, folder: Path) -> None:
        """All tables in one transaction. Raises BackupError."""
        self._run("pg_restore", "--single-transaction", *UNPRIVILEGED, str(folder / self.file))

    def _run(self, program: str, *arguments: str) -> None:
        """Raises BackupError."""
        path = shutil.which(program)
        if path is None:
            raise BackupError(
                f"{program} is not installed; it saves and restores a catalog in PostgreSQL. "
                "Debian: apt-get install postgresql-client; it must not be older than the server."
            )
        done = subprocess.run(  # noqa: S603
            [path, "--dbname", self._url_without_password, *arguments],
            env={**os.environ, **({"PGPASSWORD": self._password} if self._password else {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackupError(f"{program} failed: {done.stderr.strip()}")
