"""The database on SQLite and PostgreSQL: migrations, transactions, types."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.storage.db import Database, normalize_url
from api.storage.failures import WrongEncodingError
from api.storage.migrate import MIGRATIONS, newest_revision
from api.storage.tables import METADATA
from api.storage.tables.models import RunRow
from tests.postgres import fresh_database


def run(name: str, active: int | None = None) -> RunRow:
    return RunRow(id=name, mode="fast", started_by="manual", state="queued", active=active)


def test_migrations_create_the_declared_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_newest_revision_is_the_alembic_head(database: Database) -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == newest_revision()
    with database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == newest_revision()


def test_up_to_date_catalog_is_not_migrated(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alembic.command.upgrade", None)
    database.upgrade()


def test_concurrent_upgrades_are_safe(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Database.upgrade, databases))
    with databases[0].session() as session:
        session.add(run("a"))
    for database in databases:
        database.close()


def test_failed_session_is_rolled_back(database: Database) -> None:
    def fail() -> None:
        with database.session() as session:
            session.add(run("a"))
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with database.reading() as session:
        assert session.scalars(select(RunRow)).all() == []


def test_only_one_run_may_be_active(database: Database) -> None:
    with database.session() as session:
        session.add_all([run("a"), run("b"), run("c", active=1)])
    with pytest.raises(IntegrityError), database.session() as session:
        session.add(run("d", active=1))


def test_times_are_returned_in_utc(database: Database) -> None:
    east = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.session() as session:
        row = run("a")
        row.started_at = east
        session.add(row)
    with database.reading() as session:
        started_at = session.get_one(RunRow, "a").started_at
    assert started_at == east
    assert started_at is not None
    assert started_at.tzinfo is UTC


def test_concurrent_writes_are_serialised(database: Database) -> None:
    with database.session() as session:
        session.add(run("a"))

    def add(_: int) -> None:
        with database.session() as session:
            row = session.get_one(RunRow, "a", with_for_update=True)
            row.progress += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    with database.reading() as session:
        assert session.get_one(RunRow, "a").progress == 80


def test_postgres_that_knows_no_encoding_keeps_any_name(postgres: str) -> None:
    database = Database(fresh_database(postgres, "template0", "SQL_ASCII"))
    database.upgrade()
    with database.session() as session:
        session.add(run("りんご"))
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).one() == "りんご"
    database.close()


def test_postgres_of_a_narrow_encoding_is_refused_in_words(postgres: str) -> None:
    database = Database(fresh_database(postgres, "template0", "LATIN1"))
    with pytest.raises(WrongEncodingError, match=r"encoding LATIN1.* Create it again"):
        database.upgrade()
    assert database.is_empty()
    database.close()


def test_postgres_urls_get_the_psycopg_driver() -> None:
    assert normalize_url("postgres://u@h/d") == "postgresql+psycopg://u@h/d"
    assert normalize_url("postgresql://u@h/d") == "postgresql+psycopg://u@h/d"
    assert normalize_url("sqlite:///a.db") == "sqlite:///a.db"
