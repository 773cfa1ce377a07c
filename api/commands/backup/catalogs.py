"""The catalog's part of a backup: SQLite's online backup, or pg_dump and pg_restore."""

import errno
import os
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api.commands.backup.contents import BackupError, NotEmptyError
from api.core.errors import CatalogUnavailableError
from api.storage.blobs import make_folder, sync
from api.storage.db import UNAVAILABLE, Database
from api.storage.failures import is_disk_full
from api.storage.locks import restore_lock
from api.storage.migrate import NewerCatalogError, known_revisions
from api.storage.tables import METADATA

# The role that restores may differ from the one that saved.
UNPRIVILEGED = ("--no-owner", "--no-privileges")
REVISION = "alembic_version"
# How pg_restore writes a table's rows: tabs between the values, one row per line.
COPY = re.compile(r'COPY (?:"?\w+"?\.)?"?(?P<table>\w+)"? \((?P<columns>.*)\) FROM stdin;')
CHAMPION = "champion"
# Tables of photos that are kept until someone removes them.
PHOTO_TABLES = ("images", "boxed_photos")
END_OF_COPY = "\\."


class ProgramError(BackupError):
    """A program of PostgreSQL failed."""


class CatalogBusyError(BackupError):
    def __init__(self) -> None:
        super().__init__(
            "A process is just opening the catalog, or another restore is running. Stop all API "
            "processes and workers, then start the restore again. Nothing was restored."
        )


def check_revision(revision: str | None, where: Path) -> None:
    """Raises BackupError for a catalog without tables, or of a newer version."""
    if revision is None:
        raise BackupError(
            f"{where} is not a catalog: it has no tables of Ripeline. Nothing was changed."
        )
    if revision not in known_revisions():
        raise BackupError(str(NewerCatalogError(revision)))


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
        _copy(self._path, folder / self.file)

    def check(self, folder: Path) -> dict[str, int]:
        """Check the saved catalog with SQLite's own checks. Returns each table's number of rows.

        Raises BackupError.
        """
        path = folder / self.file
        # Immutable: SQLite must write nothing beside the file.
        with _as_backup_errors(path), closing(_read_only(path, "&immutable=1")) as saved:
            problems = [row[0] for row in saved.execute("PRAGMA integrity_check(3)")]
            if problems != ["ok"] or saved.execute("PRAGMA foreign_key_check").fetchone():
                raise BackupError(
                    f"The catalog {path} is damaged: {'; '.join(map(str, problems))}. Nothing was "
                    "restored."
                )
            tables = {
                row[0] for row in saved.execute("SELECT name FROM sqlite_schema WHERE type='table'")
            }
            query = f"SELECT version_num FROM {REVISION}"  # noqa: S608
            revision = saved.execute(query).fetchone() if REVISION in tables else None
            check_revision(revision and revision[0], path)
            counts = {
                name: saved.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
                for name in sorted(tables & set(METADATA.tables))
            }
        return {name: count for name, count in counts.items() if count}

    def photo_keys(self, folder: Path) -> set[str]:
        """The blobs of the training photos in the saved catalog."""
        with closing(_read_only(folder / self.file, "&immutable=1")) as saved:
            tables = {row[0] for row in saved.execute("SELECT name FROM sqlite_schema")}
            return {
                row[0]
                for table in PHOTO_TABLES
                if table in tables  # A catalog of an older version has fewer.
                for row in saved.execute(f"SELECT blob FROM {table}")  # noqa: S608
            }

    def champion(self, folder: Path) -> str | None:
        """The version in use in the saved catalog."""
        with closing(_read_only(folder / self.file, "&immutable=1")) as saved:
            row = saved.execute(f"SELECT version FROM {CHAMPION}").fetchone()  # noqa: S608
            return str(row[0]) if row else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While this is held, no process opens the catalog. Raises CatalogBusyError."""
        with restore_lock(self._path) as is_held:
            if not is_held:
                raise CatalogBusyError()
            yield

    def check_empty(self) -> None:
        """Raises NotEmptyError."""
        if self._path.exists():
            raise NotEmptyError(str(self._path))

    def restore(self, folder: Path) -> None:
        """Atomic: the catalog appears once it is complete and on disk. Raises BackupError."""
        make_folder(self._path.parent)
        for leftover in ("-wal", "-shm"):  # Left by a database that was deleted without them.
            Path(f"{self._path}{leftover}").unlink(missing_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.restoring")
        temporary.unlink(missing_ok=True)
        try:
            _copy(folder / self.file, temporary, "&immutable=1")
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)
        sync(self._path.parent)


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
        path = folder / self.file
        self._run("pg_dump", *self._target, "--format=custom", *UNPRIVILEGED, "--file", str(path))
        sync(path)

    def check(self, folder: Path) -> dict[str, int]:
        """Read the whole dump, as a restore would. Returns each table's number of rows.

        PostgreSQL has no other check of a dump. Raises BackupError.
        """
        counts: Counter[str] = Counter()
        revision = None
        try:
            for table, columns, row in self._rows(folder):
                counts[table] += 1
                if table == REVISION:
                    revision = row[columns.index("version_num")]
        except ProgramError as error:
            raise BackupError(f"The catalog {folder / self.file} is damaged. {error}") from None
        check_revision(revision, folder / self.file)
        return {name: counts[name] for name in sorted(METADATA.tables) if counts[name]}

    def photo_keys(self, folder: Path) -> set[str]:
        """The blobs of the training photos in the dump. Raises BackupError."""
        return {
            row[columns.index("blob")]
            for table, columns, row in self._rows(folder)
            if table in PHOTO_TABLES
        }

    def champion(self, folder: Path) -> str | None:
        """The version in use in the dump. Raises BackupError."""
        found = [
            row[columns.index("version")]
            for table, columns, row in self._rows(folder)
            if table == CHAMPION
        ]
        return found[0] if found else None

    def _rows(self, folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        """Every row in the dump: its table, the columns and their values. Raises BackupError."""
        table, columns = "", list[str]()
        for line in self._lines("pg_restore", "--data-only", "--file=-", str(folder / self.file)):
            if start := COPY.fullmatch(line):
                table, columns = start["table"], start["columns"].split(", ")
            elif line == END_OF_COPY:
                table = ""
            elif table:
                yield table, columns, line.split("\t")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While this is held, no process opens the catalog.

        Raises CatalogBusyError, CatalogUnavailableError.
        """
        database = Database(self._address)
        try:
            with restore_lock(database.engine) as is_held:
                if not is_held:
                    raise CatalogBusyError()
                yield
        except UNAVAILABLE as error:
            raise CatalogUnavailableError() from error
        finally:
            database.close()

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
        """All tables in one transaction. Raises BackupError, CatalogUnavailableError."""
        path = str(folder / self.file)
        self._run("pg_restore", *self._target, "--single-transaction", *UNPRIVILEGED, path)

    @property
    def _target(self) -> tuple[str, str]:
        return "--dbname", self._url_without_password

    def _run(self, program: str, *arguments: str) -> None:
        """Raises BackupError."""
        for _ in self._lines(program, *arguments):
            pass

    def _lines(self, program: str, *arguments: str) -> Iterator[str]:
        """The lines that a program prints. Raises BackupError, and ProgramError if it fails."""
        path = shutil.which(program)
        if path is None:
            raise BackupError(
                f"{program} is not installed; it saves and restores a catalog in PostgreSQL. "
                "Debian: apt-get install postgresql-client; it must not be older than the server."
            )
        with (
            TemporaryFile() as errors,
            subprocess.Popen(  # noqa: S603
                [path, *arguments],
                env={**os.environ, **({"PGPASSWORD": self._password} if self._password else {})},
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process,
        ):
            for line in process.stdout or ():
                yield line.removesuffix(b"\n").decode()
            if process.wait():
                errors.seek(0)
                raise ProgramError(f"{program} failed: {errors.read().decode().strip()}")


def _read_only(path: Path, options: str = "") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{options}", uri=True)


def _copy(original: Path, copy: Path, options: str = "") -> None:
    """Copy a database. It is on disk when this returns. Raises BackupError, OSError."""
    with (
        _as_backup_errors(original, copy),
        closing(_read_only(original, options)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    sync(copy)


@contextmanager
def _as_backup_errors(path: Path, written: Path | None = None) -> Iterator[None]:
    """Turns SQLite's errors into BackupError, and that of a full disk into the OSError of
    `written`."""
    try:
        yield
    except sqlite3.Error as error:
        if written and is_disk_full(error):
            full = errno.ENOSPC
            raise OSError(full, os.strerror(full), str(written)) from error
        raise BackupError(f"The catalog {path} cannot be read or written: {error}.") from error
