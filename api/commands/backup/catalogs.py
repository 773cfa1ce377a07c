"""The catalog as a file: by SQLite's own online backup, or by pg_dump and pg_restore."""

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
        """A copy of one instant, while others write. Raises BackupError."""
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
        """There is a catalog when this returns, and none before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in ("-wal", "-shm"):  # Of a database that was deleted without them.
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
        # Without the password, for the list of processes shows it to everybody.
        self._shown = url.set(password=None).render_as_string()

    def save(self, folder: Path) -> None:
        """A dump of one instant, while others write. Raises BackupError."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", folder)

    def check_empty(self) -> None:
        """Raises NotEmptyError; CatalogUnavailableError where the database is away."""
        database = Database(self._address)
        try:
            if inspect(database.engine).get_table_names():
                raise NotEmptyError(self._shown)
        except UNAVAILABLE as error:
            raise CatalogUnavailableError() from error
        finally:
            database.close()

    def restore(self, folder: Path) -> None:
        """All tables in one transaction. Raises BackupError."""
        self._run("pg_restore", "--single-transaction", "--no-owner", "--no-privileges", folder)

    def _run(self, program: str, *arguments: str | Path) -> None:
        *options, folder = arguments
        path = shutil.which(program)
        if path is None:
            raise BackupError(
                f"{program} is not installed, by which a catalog in PostgreSQL is saved and "
                "brought back. Debian: apt-get install postgresql-client; it must not be older "
                "than the server."
            )
        file = (
            ["--file", f"{folder}/{POSTGRES_FILE}"]
            if program == "pg_dump"
            else [f"{folder}/{POSTGRES_FILE}"]
        )
        done = subprocess.run(  # noqa: S603
            [path, *map(str, options), "--dbname", self._shown, *file],
            env={**os.environ, **({"PGPASSWORD": self._password} if self._password else {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackupError(f"{program} failed: {done.stderr.strip()}")
