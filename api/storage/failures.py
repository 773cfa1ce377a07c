"""Why the database or the blob store failed: damaged, full, locked, or out of reach."""

import errno
import sqlite3
from typing import Self

from sqlalchemy.exc import DBAPIError, OperationalError

_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# EFBIG: a limit on the size of files, as in some containers.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLSTATE of a full disk. The error class of psycopg would do, but with SQLite nothing else needs
# that library, and importing it takes a twentieth of the start-up.
_POSTGRES_FULL = "53100"
FULL = "There is no disk space left for the catalog. Free some."
STORE_FULL = "There is no disk space left for photos and models. Free some."
RESTORING = (
    "A backup is being restored into the catalog. This process uses it as soon as that is done."
)
UNREACHABLE = "The catalog cannot be opened. The log of the service says why."


class DamagedCatalogError(OperationalError):
    """The file is no longer a SQLite database. Waiting does not help."""


class ClosedCatalogError(OperationalError):
    """Writing is refused, since the catalog could not be opened."""


class RestoringError(OperationalError):
    """A backup is being restored into the catalog. Retry later."""

    def __init__(self) -> None:
        super().__init__(None, None, RuntimeError(RESTORING))

    def __str__(self) -> str:
        return RESTORING


class UnusableCatalogError(Exception):
    """The database is intact, but this version must not write to it. Nothing was changed."""


class ForeignDatabaseError(UnusableCatalogError):
    def __init__(self) -> None:
        super().__init__(
            "The database has tables, but none of Ripeline's: it belongs to something else. Name "
            "another in DATABASE_URL. Nothing was changed."
        )


class WrongEncodingError(UnusableCatalogError):
    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The database has the encoding {encoding}, which cannot hold every name. "
            "Create it again with the encoding UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE "
            "template0). Nothing was changed."
        )


class EmptyCatalogError(UnusableCatalogError):
    def __init__(self) -> None:
        super().__init__(
            "The catalog is empty, but the store has training photos: the database was lost or "
            "emptied, or DATABASE_URL or STORAGE_URL names another. Restore a backup; to start "
            "over, empty the store. Nothing was changed."
        )


class StoreError(OSError):
    """The blob store cannot be reached, read or written. Retry later."""

    @classmethod
    def of(cls, error: Exception, path: str) -> Self:
        """Wrap any error that the store raised, keeping its number, words and file."""
        number, words, file = (
            (error.errno, error.strerror, error.filename)
            if isinstance(error, OSError)
            else (None, None, None)
        )
        return cls(number, words or str(error) or type(error).__name__, file or path)

    @property
    def is_of_one_file(self) -> bool:
        """Whether other files may still be read: this one is on a bad sector, or is a folder."""
        return self.errno in (errno.EIO, errno.EISDIR)

    def __str__(self) -> str:
        return f"The store of photos and models failed: {self.strerror} ({self.filename})"


class ModelCacheError(OSError):
    """This machine's copies of the model versions cannot be written. The store is fine."""

    def __str__(self) -> str:
        return (
            "The copies of model versions on this machine cannot be written: "
            f"{self.strerror} ({self.filename})"
        )


def is_damaged(error: BaseException | None) -> bool:
    """Whether SQLite found that the file is not a database, or is corrupt."""
    return _sqlite_code(error) in _SQLITE_DAMAGED


def is_disk_full(error: BaseException | None) -> bool:
    """Whether the database, or the file system, has no space left."""
    if isinstance(error, DBAPIError):
        error = error.orig
    if isinstance(error, OSError):
        # `tempfile` raises ENOENT if it can write to none of its folders.
        no_folder = error.errno == errno.ENOENT and "temporary directory" in str(error.strerror)
        return error.errno in _FULL or no_folder
    return (
        getattr(error, "sqlstate", None) == _POSTGRES_FULL
        or _sqlite_code(error) == sqlite3.SQLITE_FULL
    )


def describe(error: BaseException) -> str:
    """The problem in words for `/status`, without paths and addresses."""
    if isinstance(error, (UnusableCatalogError, RestoringError)):
        return str(error)
    if isinstance(error, DamagedCatalogError):
        return (
            f"The catalog is damaged ({error.orig}). It was left as it is. Restore a backup into "
            "its place (docs/OPERATIONS.md)."
        )
    if isinstance(error, StoreError):
        return store_problem(error, "read")
    return FULL if is_disk_full(error) else UNREACHABLE


def store_problem(error: BaseException, access: str) -> str:
    """As `describe`, for the blob store. `access`: what was tried, "read" or "written"."""
    if is_disk_full(error):
        return STORE_FULL
    return (
        f"The store of photos and models cannot be {access}. Photos are graded as before. The log "
        "of the service says why; look at STORAGE_URL, and its keys or its disk."
    )


def _sqlite_code(error: BaseException | None) -> int:
    """The primary result code; 0 for other errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
