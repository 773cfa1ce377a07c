"""Saves and restores the catalog: by SQLite's online backup, or by pg_dump and pg_restore."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api.core.errors import CatalogUnavailableError, ProblemError
from api.storage.db import UNAVAILABLE, Database

SQLITE_FILE = "catalog.db"
POSTGRES_FILE = "catalog.dump"
# The role that restores may be another than the one that saved.
UNPRIVILEGED = ("--no-owner", "--no-privileges")


class BackupError(ProblemError):
    code = "no-backup"


class NotEmptyError(BackupError):
    code = "not-empty"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not empty, and nothing is ever overwritten. Name another, or empty it "
            "yourself."
        )


class SqliteCatalog:
    """The database at a `sqlite:///` address."""

    kind = "SQLite"

    def __init__(self, address: str) -> None:
        self._path = Path(make_url(address).database or "")

    def save(self, folder: Path) -> None:
        """A consistent copy, while others write. Raises BackupError."""
        if not self._path.is_file():
            raise BackupError(f"There is no catalog at {self._path}, so nothing to save.")
        with (
            closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(folder / SQLITE_FILE)) as copy,
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
            closing(sqlite3.connect(folder / SQLITE_FILE)) as saved,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            saved.backup(copy)
        temporary.replace(self._path)


class PostgresCatalog:
    """The database at a `postgresql://` address."""

    kind = "PostgreSQL"

    def __init__(self, address: str) -> None:
        url = make_url(address).set(drivername="postgresql")
        self._address = address
        self._password = str(url.password or "")
        # The process list shows arguments to everybody, so the password is not among them.
        self._url_without_password = url.set(password=None).render_as_string()

    def save(self, folder: Path) -> None:
        """A consistent dump, while others write. Raises BackupError."""
        file = str(folder / POSTGRES_FILE)
        self._run("pg_dump", "--format=custom", *UNPRIVILEGED, "--file", file)

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
        self._run("pg_restore", "--single-transaction", *UNPRIVILEGED, str(folder / POSTGRES_FILE))

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
