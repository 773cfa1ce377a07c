"""A running service for the upload tests."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings

Serve = Callable[..., TestClient]


@pytest.fixture
def serve(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Serve]:
    """Starts the service with an empty catalog and, by default, without a model."""
    (tmp_path / "state").mkdir()
    shutil.copyfile(migrated_sqlite, tmp_path / "state" / "catalog.db")
    with ExitStack() as running:

        def start(**changed: Any) -> TestClient:
            settings = Settings(
                **{
                    "model_dir": tmp_path / "no model",
                    "state_dir": tmp_path / "state",
                    "database_url": "",
                    "storage_url": "",
                    **changed,
                }
            )
            client = TestClient(create_app(settings), raise_server_exceptions=False)
            return running.enter_context(client)

        yield start


@pytest.fixture
def service(serve: Serve) -> TestClient:
    return serve()
