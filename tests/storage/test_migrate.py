"""An older catalog is upgraded; a newer one is refused."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from api.core.freshness_levels import LevelThresholds
from api.predictions.freshness_thresholds import set_thresholds, user_thresholds
from api.registry import repository
from api.settings import PROJECT
from api.storage.db import Database
from api.storage.migrate import NewerCatalogError
from api.storage.tables import METADATA, PredictionRow
from tests.processes import free_port, service_environment

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def first(database_url: str) -> Database:
    """A catalog of the first version, with a champion that replaced another."""
    database = Database(database_url)
    database.upgrade("0001")
    with database.session() as session:
        for version in ("a", "b"):
            session.execute(
                text(
                    "INSERT INTO models (version, origin, started_by, manifest, created_at) "
                    "VALUES (:version, 'fast', 'manual', :manifest, :at)"
                ),
                {"version": version, "manifest": json.dumps({"version": version}), "at": AT},
            )
        session.execute(
            text(
                "INSERT INTO predictions (id, created_at, model_version, predicted_class, "
                "confidence, recognised, freshness_score, probabilities, milliseconds, filename) "
                "VALUES ('p', :at, 'b', 'freshapples', 0.9, true, 0.9, '{}', 5, 'a.jpg')"
            ),
            {"at": AT},
        )
        session.execute(
            text("INSERT INTO champion (id, version, changed_at) VALUES (1, 'b', :at)"), {"at": AT}
        )
    return database


def test_a_catalog_of_the_first_version_is_upgraded_with_its_rows(first: Database) -> None:
    first.upgrade()
    with first.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    with first.reading() as session:
        assert repository.champion(session) == "b"
        assert {row.version for row in repository.list_models(session)} == {"a", "b"}
        graded = session.get_one(PredictionRow, "p")
        assert (graded.freshness_score, graded.freshness_level) == (0.9, None)
        assert user_thresholds(session) is None
    with first.session() as session:
        set_thresholds(session, 0.3, 0.7)
    with first.reading() as session:
        assert user_thresholds(session) == LevelThresholds(0.3, 0.7)
    first.close()


def test_a_newer_catalog_is_refused_and_left_alone(first: Database) -> None:
    newer(first)
    with pytest.raises(NewerCatalogError, match=r"9999.*newer one has upgraded it"):
        first.upgrade()
    with first.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert repository.champion(session) == "b"
    first.close()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["uvicorn api.app:app --port {port}", "api.worker"])
def test_neither_service_nor_worker_starts_on_a_newer_catalog(command: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    database.upgrade()
    newer(database)
    database.close()
    started = command.format(port=free_port()).split()
    ended = subprocess.run(
        [sys.executable, "-m", *started],
        cwd=PROJECT,
        env=service_environment(str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "a newer one has upgraded it" in ended.stderr


def newer(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
