"""Locks between processes: advisory locks of PostgreSQL, and the lock of a restore.

A process that made an empty catalog during the restore of a backup would lose it to the restored
one, with all that it had written. The system frees the lock of a process that dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, unique
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.orm import Session


@unique
class AdvisoryLock(IntEnum):
    """Keys that nothing else on the server uses, all in one place: no two may be the same."""

    MIGRATION = 7_253_001
    IMAGES = 7_253_002
    RESTORE = 7_253_003


def hold_until_commit(session: Session, lock: AdvisoryLock) -> None:
    """Wait for `lock`, and hold it until the transaction ends.

    SQLite needs no lock: a session that may write holds the write lock from its start.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(int(lock))))


RESTORE = int(AdvisoryLock.RESTORE)


@contextmanager
def restore_lock(catalog: Path | Engine) -> Iterator[bool]:
    """Hold the lock for a restore. Yields False if a process is opening the catalog, or another
    restore runs.

    `catalog`: the file of SQLite, or an engine of PostgreSQL.
    """
    if isinstance(catalog, Path):
        with file_lock(catalog) as is_held:
            yield is_held
        return
    # Held by the session: without an open transaction, which would keep the database from cleaning
    # up.
    with catalog.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_held = bool(connection.scalar(select(func.pg_try_advisory_lock(RESTORE))))
        try:
            yield is_held
        finally:
            if is_held:
                connection.execute(select(func.pg_advisory_unlock(RESTORE)))


@contextmanager
def file_lock(catalog: Path) -> Iterator[bool]:
    """Hold the lock of an SQLite file; yields whether it was free."""
    catalog.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{catalog}.restore.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_restoring(connection: Connection) -> bool:
    """Whether a backup is being restored into PostgreSQL; none begins before the transaction ends
    if not."""
    return not connection.scalar(select(func.pg_try_advisory_xact_lock_shared(RESTORE)))
