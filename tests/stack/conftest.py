"""One stack for all tests of this package; processes killed by a test are restarted after it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import binaries, server
from tests.stack.stack import Stack, running_stack

HERE = Path(__file__).parent
PROGRAMS = {
    "nginx": "nginx-light",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    programs = binaries()
    missing = [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    if programs is None:
        missing.append("postgresql")
    if programs is None or missing:
        pytest.fail(f"The stack needs Debian's packages: apt-get install {' '.join(missing)}")
    with (
        server(programs) as database,
        running_stack(tmp_path_factory.mktemp("stack"), database) as stack,
    ):
        yield stack


@pytest.fixture
def stack(started: Stack) -> Iterator[Stack]:
    yield started
    started.start_stopped()
