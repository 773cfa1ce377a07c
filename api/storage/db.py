"""The catalog's database: SQLite in the state folder by default, PostgreSQL by DATABASE_URL.

One `Database` per process. `session()` is one transaction, committed at its end or rolled back on
an error; `reading()` is a read-only one, whose queries all see the same state.
"""

import re
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
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from api.storage import migrate
from api.storage.failures import (
    ClosedCatalogError,
    DamagedCatalogError,
    EmptyCatalogError,
    ForeignDatabaseError,
    RestoringError,
    UnusableCatalogError,
    WrongEncodingError,
    is_damaged,
)
from api.storage.locks import AdvisoryLock, file_lock, is_restoring
from api.storage.sqlite_file import check_file, file_revision, file_tables

BUSY_SECONDS = 30
CONNECT_SECONDS = 5
# Raised when the database cannot be reached or is too busy. Retry later.
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeoutError)


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are the same on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, also on SQLite, which drops the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An engine and its sessions. Thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = normalize_url(url)
        self.engine = _engine(self.url)
        self._refusal: Exception | None = None
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        read_only = self.engine.execution_options(ripeline_read_only=True)
        if not self.is_sqlite:  # A transaction of SQLite always reads a single state.
            read_only = read_only.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._read_sessions = sessionmaker(read_only, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database; None for one in memory, or on a server."""
        path = make_url(self.url).database if self.is_sqlite else None
        return None if not path or path == ":memory:" else Path(path)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write."""
        if self._refusal is not None:
            raise ClosedCatalogError(None, None, self._refusal)
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only transaction. On SQLite it does not wait for writers."""
        # There is nothing to read, and SQLite would make an empty file.
        if isinstance(self._refusal, (EmptyCatalogError, RestoringError)):
            raise ClosedCatalogError(None, None, self._refusal)
        with self._read_sessions.begin() as session:
            yield session

    def upgrade(self, revision: str = "head") -> None:
        """Migrate the tables, one process at a time.

        Raises UnusableCatalogError, RestoringError, and DamagedCatalogError for a damaged SQLite
        file. Then nothing is written, and `session` raises ClosedCatalogError until an upgrade
        succeeds.
        """
        try:
            with self._sqlite_migration_lock():
                if self.is_sqlite:
                    self._check_file()
                    self._use_wal()
                with self.engine.begin() as connection:
                    if not self.is_sqlite:
                        connection.execute(
                            select(func.pg_advisory_xact_lock(int(AdvisoryLock.MIGRATION)))
                        )
                        if is_restoring(connection):
                            raise RestoringError()
                        _check_encoding(connection)
                    migrate.upgrade(connection, revision)
        except (DamagedCatalogError, RestoringError, UnusableCatalogError) as error:
            self.refuse_writes(error)
            raise
        self._refusal = None

    def check_not_restoring(self) -> None:
        """Raises RestoringError while a backup is being restored, as `upgrade` does."""
        try:
            with self._sqlite_migration_lock():
                if not self.is_sqlite:
                    with self.engine.connect() as connection:
                        if is_restoring(connection):
                            raise RestoringError()
        except RestoringError as error:
            self.refuse_writes(error)
            raise

    def refuse_writes(self, error: Exception) -> None:
        """Make `session` fail because of `error` until the next successful `upgrade`."""
        self._refusal = error

    def is_empty(self) -> bool:
        """Whether it has no tables yet. Raises DamagedCatalogError."""
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                return migrate.current_revision(connection) is None
        return not self._sqlite_file or not file_tables(self._sqlite_file)

    @property
    def _sqlite_file(self) -> Path | None:
        """The file, if there is one."""
        path = Path(make_url(self.url).database or ":memory:")
        return path if path.exists() else None

    def _check_file(self) -> None:
        """Raises DamagedCatalogError, UnusableCatalogError."""
        if path := self._sqlite_file:
            check_file(path)
            tables = file_tables(path)
            if tables and migrate.REVISIONS not in tables:
                raise ForeignDatabaseError()
            if tables:
                migrate.check_known(file_revision(path))

    def _use_wal(self) -> None:
        """Let readers and a writer work at once. The file keeps this setting."""
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()

    @contextmanager
    def _sqlite_migration_lock(self) -> Iterator[None]:
        """A file lock, since SQLite lets two processes create a database at the same time."""
        if self.path is None:
            yield
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.migration.lock"), file_lock(self.path) as is_free:
            if not is_free:
                raise RestoringError()
            yield

    def close(self) -> None:
        self.engine.dispose()


class OpenTransaction(Database):
    """A database inside one transaction: all its sessions are `session`.

    The code that opened the transaction commits or rolls back everything at once.
    """

    def __init__(self, database: Database, session: Session) -> None:
        self.url, self.engine = database.url, database.engine
        self._session = session

    @contextmanager
    def session(self) -> Iterator[Session]:
        yield self._session
        self._session.flush()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        yield self._session


def upsert(
    session: Session, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Insert the row of `key`, or update an existing one with `values`, if there are any."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(table).values(**key, **values)
    if values:
        insert = insert.on_conflict_do_update(index_elements=list(key), set_=values)
    else:
        insert = insert.on_conflict_do_nothing(index_elements=list(key))
    session.execute(insert)


def normalize_url(url: str) -> str:
    """Add the driver that SQLAlchemy needs; hosting platforms give a plain `postgres://`."""
    return re.sub("^postgres(ql)?://", "postgresql+psycopg://", url)


def _check_encoding(connection: Connection) -> None:
    """Raises WrongEncodingError for a new PostgreSQL database that cannot hold all of Unicode."""
    if migrate.current_revision(connection) is None:
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding not in ("UTF8", "SQL_ASCII"):
            raise WrongEncodingError(encoding)


def _engine(url: str) -> Engine:
    """`hide_parameters`: errors are logged, and the split secret must not get into a log."""
    if not url.startswith("sqlite"):
        # `client_encoding`: a database with the encoding SQL_ASCII would otherwise return bytes.
        options = {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8"}
        return create_engine(url, pool_pre_ping=True, connect_args=options, hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _: Any) -> None:
        # By default pysqlite begins transactions late, and two writers can deadlock.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: acknowledged writes survive a power cut, not only a crash.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # Upgrading a read lock to a write lock fails at once while another process writes, so a
        # transaction that may write takes the write lock at its start.
        read_only = connection.get_execution_options().get("ripeline_read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    @event.listens_for(engine, "handle_error")
    def _on_error(context: ExceptionContext) -> None:
        # The class of SQLite's or SQLAlchemy's error does not tell damage from a wrong query.
        error = context.original_exception
        if is_damaged(error):
            raise DamagedCatalogError(context.statement, None, error) from error

    return engine
