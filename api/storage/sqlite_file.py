"""Inspects a SQLite file before anything may write to it, even its journal mode."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

from api.storage.failures import DamagedCatalogError, is_damaged

# A larger file is not read through, which would take seconds at every start.
MAX_CHECKED_BYTES = 256 * 2**20


def check_file(path: Path) -> None:
    """Raises DamagedCatalogError, or OperationalError if the file cannot be opened."""
    with _reading(path) as connection:
        if path.stat().st_size <= MAX_CHECKED_BYTES:
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise DamagedCatalogError(None, None, sqlite3.DatabaseError(problem))


def file_tables(path: Path) -> set[str]:
    """The names of its tables. Raises what `check_file` raises."""
    with _reading(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name for (name,) in rows}


def file_revision(path: Path) -> str | None:
    """The revision of a catalog. Raises what `check_file` raises."""
    with _reading(path) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        kind = DamagedCatalogError if is_damaged(error) else OperationalError
        raise kind(None, None, error) from error
