"""An older catalog is upgraded, a newer one is rejected."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from api.core.freshness_levels import LevelThresholds
from api.predictions.freshness_thresholds import set_thresholds, user_thresholds
from api.registry import repository
from api.settings import PROJECT, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import ClosedCatalogError
from api.storage.migrate import NewerCatalogError
from api.storage.tables import METADATA
from api.storage.tables.predictions import PredictionRow
from api.storage.tables.triggers import TriggerRow
from tests.processes import service_environment

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def first_version(database_url: str) -> Database:
    """A catalog of the first version, with a champion that replaced another."""
    database = Database(database_url)
    database.upgrade("0001")
    with database.session() as session:
        for version, at in (("a", AT), ("b", AT + timedelta(days=1))):
            session.execute(
                text(
                    "INSERT INTO models (version, origin, started_by, manifest, created_at) "
                    "VALUES (:version, 'fast', 'manual', :manifest, :at)"
                ),
                {"version": version, "manifest": json.dumps({"version": version}), "at": at},
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
        session.execute(
            text(
                "INSERT INTO triggers (name, enabled) VALUES "
                "('accuracy', false), ('drift', true), ('new-images', NULL)"
            )
        )
    return database


def test_catalog_of_the_first_version_keeps_its_rows(first_version: Database) -> None:
    first_version.upgrade()
    with first_version.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    with first_version.reading() as session:
        assert repository.champion_version(session) == "b"
        assert [row.version for row in repository.list_models(session)] == ["b", "a"]
        prediction = session.get_one(PredictionRow, "p")
        assert (prediction.freshness_score, prediction.freshness_level) == (0.9, None)
        assert user_thresholds(session) is None
        # Triggers that started runs automatically now ask first; those that were off stay off.
        modes = session.execute(select(TriggerRow.name, TriggerRow.mode))
        assert dict(modes.all()) == {"accuracy": "off", "drift": None, "new-images": None}
    with first_version.session() as session:
        set_thresholds(session, 0.3, 0.7)
    with first_version.reading() as session:
        assert user_thresholds(session) == LevelThresholds(0.3, 0.7)
    first_version.close()


def test_newer_catalog_is_rejected_unchanged(first_version: Database) -> None:
    mark_newer(first_version)
    with pytest.raises(NewerCatalogError, match=r"9999.*newer one has upgraded it"):
        first_version.upgrade()
    with first_version.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert repository.champion_version(session) == "b"
    with pytest.raises(ClosedCatalogError), first_version.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '1'"))
    first_version.close()


@pytest.mark.slow
def test_worker_does_not_start_on_a_newer_catalog(tmp_path: Path) -> None:
    """The API serves the shipped package: tests/registry/test_unusable_catalog.py."""
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    database.upgrade()
    mark_newer(database)
    database.close()
    worker = run_worker(tmp_path)
    assert worker.returncode != 0
    assert "a newer one has upgraded it" in worker.stderr


def run_worker(state: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "api.worker"],
        cwd=PROJECT,
        env=service_environment(str(state)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def mark_newer(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))


@pytest.mark.slow
def test_worker_does_not_start_on_an_empty_catalog_beside_photos(tmp_path: Path) -> None:
    """It would create tables, and then the API would sweep the photos as orphans."""
    settings = Settings(state_dir=tmp_path, database_url="", storage_url="")
    Blobs(settings.storage).put("photographs/ab/abc.jpg", b"a photo")
    worker = run_worker(tmp_path)
    assert worker.returncode
    assert "the store has training photos" in worker.stderr
    database = Database(settings.database)
    assert database.is_empty()
    database.close()
