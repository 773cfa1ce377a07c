"""The engine, the images and the profiles for all tests of this package.

Tests are skipped, with the reason, if no engine can run a container or the base image cannot be
obtained.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.containers.base_image import provide_base
from tests.containers.engine import Engine, EngineError, find_engine
from tests.containers.profile import Profile
from tests.deploy.dockerfile import stages

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that has successfully run a container of each base image."""
    bases = {stage.base for stage in stages(PROJECT / "Dockerfile.api") if ":" in stage.base}
    try:
        engine = find_engine(tmp_path_factory.mktemp("engine"))
        for base in sorted(bases):
            provide_base(engine, base)
            engine.run("run", "--rm", "--network", "none", base, "python", "--version")
    except EngineError as error:
        pytest.skip(f"No container can run here: {error}")
    return engine


@pytest.fixture(scope="module")
def profile(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profile]:
    """The small profile, built and healthy."""
    profile = Profile(engine, tmp_path_factory.mktemp("small"), {}, full=False)
    yield from _running(profile, ("api", "ui"))


@pytest.fixture(scope="module")
def full_profile(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profile]:
    """The full profile with two replicas and one worker, built and healthy."""
    settings = {"RIPELINE_API_REPLICAS": "2", "RIPELINE_WORKER_REPLICAS": "1"}
    profile = Profile(engine, tmp_path_factory.mktemp("full"), settings, full=True)
    yield from _running(profile, ("api", "ui", "nginx"))


def _running(profile: Profile, healthy: Sequence[str]) -> Iterator[Profile]:
    profile.build()
    try:
        profile.up()
        for name in healthy:
            profile.until_healthy(name)
        yield profile
    finally:
        profile.remove()
