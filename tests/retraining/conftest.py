"""Runs in this process with a small champion."""

from pathlib import Path
from typing import Any

import pytest

from api.retraining import repository, run_process, service
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import RunRow
from tests.retraining.catalog import SMALL, Run, install_champion


@pytest.fixture
def own(
    shipped_settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of an untracked run on the test's database."""
    monkeypatch.setattr(run_process, "_track", lambda *_: None)
    update = {"state_dir": tmp_path / "state", "database_url": database.url}
    return shipped_settings.model_copy(update=update)


@pytest.fixture
def champion(
    request: pytest.FixtureRequest, database: Database, blobs: Blobs, tmp_path: Path
) -> str:
    return install_champion(database, blobs, tmp_path, getattr(request, "param", SMALL))


@pytest.fixture
def run(own: Settings, database: Database, blobs: Blobs, champion: str) -> Run:
    """Executes a run and returns its final row."""

    def execute(mode: service.Mode = "fast", **options: Any) -> RunRow:
        with database.session() as session:
            created = service.create_run(session, mode=mode, started_by="me", options=options)
            repository.claim(session, created.id)
        run_process.execute_run(own, database, blobs, created.id)
        with database.reading() as session:
            return service.get(session, created.id)

    return execute
