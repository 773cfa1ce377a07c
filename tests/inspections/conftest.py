from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from tests.inspections.crates import serving


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path_factory.mktemp("inspections")})


@pytest.fixture(scope="module")
def grading(state: Settings) -> Iterator[TestClient]:
    """A service with its own catalog, which finds the fruits in drawn crates."""
    with serving(state) as client:
        yield client
