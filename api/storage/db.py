"""The catalog's database: SQLite in the state folder by default, PostgreSQL by DATABASE_URL.

One `Database` a process. A `session()` is one transaction: committed whole at its end, or not at
all; `reading()` one that writes nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that nothing else in the database locks by.
MIGRATION_LOCK = 7_253_001
BUSY_SECONDS = 30
CONNECT_SECONDS = 5
# What is raised where the database cannot be reached, or has no time: try again later.
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeoutError)


class Base(DeclarativeBase):
    """What every table inherits from; names of constraints are the same on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An engine and its sessions. Safe to use from any thread."""

    def __init__(self, url: str) -> None:
        self.url = normalised(url)
        self.engine = _engine(self.url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        reading = self.engine.execution_options(ripeline_reading=True)
        self._readings = sessionmaker(reading, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction that may write."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads: on SQLite it waits for no writer."""
        with self._readings.begin() as session:
            yield session

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables to this version's shape; only one process at a time does.

        Raises NewerCatalogError.
        """
        with self._alone(), self.engine.begin() as connection:
            if _revision(connection) == newest_revision():
                return
            # Imported here: an upgrade is rare, and every start would wait for it.
            from api.storage.migrate import upgrade  # noqa: PLC0415

            upgrade(connection, MIGRATIONS, revision)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.is_sqlite:
            path = make_url(self.url).database
            if not path or path == ":memory:":
                yield
                return
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.migration.lock"):
                yield
            return
        with self.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
                connection.commit()

    def close(self) -> None:
        self.engine.dispose()


def upsert(
    session: Session, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Write the row of `key`; one that is there already takes the `values`."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(table).values(**key, **values)
    session.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))


def newest_revision() -> str:
    """Of the last migration: the number that the name of its file begins with."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return max(file.name for file in files).partition("_")[0]


def _revision(connection: Connection) -> str | None:
    """Of the tables that are there; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def normalised(url: str) -> str:
    """The address as SQLAlchemy wants it; hosts give `postgres://`, without the driver."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return f"postgresql+psycopg://{url.removeprefix(scheme)}"
    return url


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        seconds = {"connect_timeout": CONNECT_SECONDS}
        return create_engine(url, pool_pre_ping=True, connect_args=seconds)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        # pysqlite begins transactions late by itself, and so lets two writers deadlock.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: what was acknowledged is there after a power cut too, not only after a crash.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # A read that turned into a write would fail at once where another process writes, so what
        # may write says so from the start.
        reading = connection.get_execution_options().get("ripeline_reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
