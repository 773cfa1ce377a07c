"""The engine, the images and the small profile, for all tests of this package.

Skipped with the reason where no engine can run a container, or the base image cannot be had.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.containers.base_image import provide_base
from tests.containers.engine import Engine, EngineError, find_engine
from tests.containers.small_profile import SmallProfile
from tests.deploy.dockerfile import stages

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that has run a container of each base image."""
    bases = {stage.base for stage in stages(PROJECT / "Dockerfile.api") if ":" in stage.base}
    try:
        engine = find_engine(tmp_path_factory.mktemp("engine"))
        for base in sorted(bases):
            provide_base(engine, base)
            engine.run("run", "--rm", "--network", "none", base, "python", "--version")
    except EngineError as error:
        pytest.skip(f"No container can run here: {error}")
    return engine


@pytest.fixture(scope="session")
def profile(engine: Engine) -> Iterator[SmallProfile]:
    """The small profile, built and healthy."""
    profile = SmallProfile(engine)
    for name, service in profile.services.items():
        engine.build(profile.image(name), PROJECT, service["build"])
    try:
        profile.up()
        for name in ("api", "ui"):
            profile.until_healthy(name)
        yield profile
    finally:
        profile.remove()
