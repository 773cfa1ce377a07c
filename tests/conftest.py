"""What tests of several rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import PROJECT, Settings

DATASET = "RIPELINE_DATASET"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The default settings, whatever the environment of the person who runs the tests."""
    return Settings(model_dir=PROJECT / "models" / "default", ui_url="http://127.0.0.1:8501")


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
