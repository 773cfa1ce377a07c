"""What tests of several rooms share."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import PROJECT, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.postgres import binaries, fresh_database, running_server

pytest_plugins = ["tests.lanes"]
DATASET = "RIPELINE_DATASET"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The default settings, whatever the environment of the person who runs the tests."""
    return Settings(
        model_dir=PROJECT / "models" / "default",
        ui_url="http://127.0.0.1:8501",
        state_dir=tmp_path_factory.mktemp("state"),
        database_url="",
        storage_url="",
    )


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """The whole service in this process, with the default model."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def dataset() -> Path:
    """The folder of real photographs, where the person has one."""
    folder = os.environ.get(DATASET)
    if not folder:
        pytest.skip(f"needs photographs: set {DATASET} to a folder of class folders")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server."""
    programs = binaries()
    if programs is None:
        pytest.skip("needs a PostgreSQL server (Debian: apt-get install postgresql)")
    with running_server(programs) as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The environment of a server that speaks S3."""
    # Imported here, so that tests without a bucket do not wait for it.
    from tests.buckets import running_s3  # noqa: PLC0415

    with running_s3() as environment:
        yield environment


@pytest.fixture
def bucket(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new bucket, which this process and those that it starts can reach."""
    from tests.buckets import fresh_bucket  # noqa: PLC0415

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return fresh_bucket()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.db'}"
    return fresh_database(request.getfixturevalue("postgres"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A catalog with all its tables and nothing in them."""
    database = Database(database_url)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def eager_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling a step of a network takes longer than the few steps of a test."""
    # Imported here, so that tests that do not train do not wait for it.
    import tensorflow as tf  # noqa: PLC0415

    from api.training.train import train  # noqa: PLC0415

    def eagerly(*arguments: Any) -> Any:
        tf.config.run_functions_eagerly(True)
        try:
            with warnings.catch_warnings():
                # Said of the generator of views, which is Python in any case.
                warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
                return train(*arguments)
        finally:
            tf.config.run_functions_eagerly(False)

    monkeypatch.setattr("api.training.grader.train", eagerly)
