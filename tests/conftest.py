"""Fixtures for several packages."""

import gc
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import PROJECT, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.postgres import binaries, fresh_database, running_server
from tests.small_grader import write_small_grader

pytest_plugins = ["tests.lanes"]
DATASET = "RIPELINE_DATASET"
DATABASES = ("sqlite", "postgresql")


def pytest_collection_finish() -> None:
    # Imported modules stay in memory; scanning them in each garbage collection takes a third of a
    # second.
    gc.freeze()


@pytest.fixture(scope="session")
def shipped_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The default settings with the shipped model, independent of the environment."""
    return Settings(
        model_dir=PROJECT / "models" / "default",
        ui_url="http://127.0.0.1:8501",
        state_dir=tmp_path_factory.mktemp("state"),
        database_url="",
        storage_url="",
        # Random samples would change the review queue.
        sampled_share=0,
    )


@pytest.fixture(scope="session")
def settings(shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The default settings with a small grader, for tests that start a service and ignore its
    grades."""
    update = {
        "model_dir": write_small_grader(tmp_path_factory.mktemp("models") / "small"),
        "state_dir": tmp_path_factory.mktemp("state"),
    }
    return shipped_settings.model_copy(update=update)


@pytest.fixture(scope="session")
def client(shipped_settings: Settings) -> Iterator[TestClient]:
    """The API in this process, with the shipped model."""
    with TestClient(create_app(shipped_settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def dataset() -> Path:
    """The folder of real photos in RIPELINE_DATASET; skips the test without it."""
    folder = os.environ.get(DATASET)
    if not folder:
        pytest.skip(f"needs photos: set {DATASET} to a folder of class folders")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server."""
    programs = binaries()
    if programs is None:
        pytest.skip("needs a PostgreSQL server (Debian: apt-get install postgresql)")
    with running_server(programs) as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The environment variables of an S3 server."""
    # moto takes seconds to import.
    from tests.buckets import running_s3  # noqa: PLC0415

    with running_s3() as environment:
        yield environment


@pytest.fixture
def bucket(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket, with its server in the environment."""
    from tests.buckets import fresh_bucket  # noqa: PLC0415

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return fresh_bucket()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    return empty_database(request, tmp_path)


@pytest.fixture(scope="module", params=DATABASES)
def shared_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The URL of a database shared by a module's tests that only read."""
    return empty_database(request, tmp_path_factory.mktemp("database"))


def empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'catalog.db'}"
    server = request.getfixturevalue("postgres")
    if "database" in request.fixturenames:  # That fixture needs the tables.
        return fresh_database(server, request.getfixturevalue("migrated_postgres"))
    return fresh_database(server)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: str) -> str:
    """The name of a database with an empty catalog, to be copied."""
    database = Database(fresh_database(postgres))
    database.upgrade()
    database.close()
    return str(database.engine.url.database)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty catalog. A copy takes a tenth of the time of a migration."""
    path = tmp_path_factory.mktemp("catalog") / "catalog.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.close()
    return path


@pytest.fixture
def database(database_url: str, migrated_sqlite: Path) -> Iterator[Database]:
    """An empty catalog."""
    database = Database(database_url)
    if database.is_sqlite:
        shutil.copyfile(migrated_sqlite, database_url.removeprefix("sqlite:///"))
    yield database
    database.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def eager_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train without compiling, which would take longer than the few steps of a test."""
    # TensorFlow takes seconds to import.
    import tensorflow as tf  # noqa: PLC0415

    from api.training.detection.train import fit_network  # noqa: PLC0415
    from api.training.train import train  # noqa: PLC0415

    def eagerly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            tf.config.run_functions_eagerly(True)
            try:
                with warnings.catch_warnings():
                    # TensorFlow warns about the generator of views, which is Python in any case.
                    warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
                    return function(*arguments)
            finally:
                tf.config.run_functions_eagerly(False)

        return call

    monkeypatch.setattr("api.training.grader.train", eagerly(train))
    monkeypatch.setattr("api.training.train.train", eagerly(train))
    monkeypatch.setattr("api.training.detection.train.fit_network", eagerly(fit_network))
