"""Keys of the PostgreSQL advisory locks, all in one place: no two purposes may share a key."""

from enum import IntEnum, unique

from sqlalchemy import func, select
from sqlalchemy.orm import Session


@unique
class AdvisoryLock(IntEnum):
    """Any numbers that nothing else on the server uses."""

    MIGRATION = 7_253_001
    IMAGES = 7_253_002
    RESTORE = 7_253_003


def hold_until_commit(session: Session, lock: AdvisoryLock) -> None:
    """Wait for `lock`, and hold it until the transaction ends.

    SQLite needs no lock: a session that may write holds the write lock from its start.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(int(lock))))
