"""Which errors mean that no disk space is left."""

import errno
import sqlite3

import psycopg.errors
import pytest
from sqlalchemy.exc import OperationalError

from api.storage.failures import FULL, UNREACHABLE, describe, is_disk_full


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("original", "full"),
    [
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.LockNotAvailable(), False),
        (psycopg.OperationalError("the connection is lost"), False),
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (sqlite_error(sqlite3.SQLITE_BUSY), False),
    ],
    ids=["PostgreSQL full", "PostgreSQL locked", "connection lost", "SQLite full", "SQLite busy"],
)
def test_full_disk_is_recognised_on_either_database(original: Exception, full: bool) -> None:
    error = OperationalError("INSERT", None, original)
    assert is_disk_full(error) is full
    assert describe(error) == (FULL if full else UNREACHABLE)


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EACCES, False)])
def test_full_disk_is_recognised_for_files(number: int, full: bool) -> None:
    assert is_disk_full(OSError(number, "")) is full
