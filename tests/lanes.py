"""The fast lane, `make test-fast`: no processes, no TensorFlow, no PostgreSQL, no browser.

A test that starts a process or takes seconds is marked `slow`; one that uses any of SLOW_FIXTURES
or is in BROWSER_FOLDER gets the mark here. In the fast lane, test modules that import TensorFlow
are skipped, and a test that still imports it or starts a process fails. With several test
processes, the longest files come first, since a long file at the end leaves cores idle.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

import pytest

FAST = "not slow"
SLOW_FIXTURES = {"postgres", "s3", "browser", "eager_training"}
# Its tests start browsers through fixtures of several names.
BROWSER_FOLDER = "e2e"
# Fixture parameters that request a slow fixture by name.
SLOW_PARAMETERS = {"postgresql", "bucket"}
_TENSORFLOW = ("tensorflow", "keras")
_STARTERS = ((subprocess.Popen, "__init__"), (BaseProcess, "start"), (os, "fork"))


def in_fast_lane(config: pytest.Config) -> bool:
    return FAST in config.option.markexpr


def pytest_configure(config: pytest.Config) -> None:
    if in_fast_lane(config):
        config.pluginmanager.register(_WithoutTensorFlow())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        in_browser = item.path.parent.name == BROWSER_FOLDER
        if in_browser or (isinstance(item, pytest.Function) and _uses_slow_fixture(item)):
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        _longest_files_first(items)


@pytest.fixture(scope="session", autouse=True)
def _no_processes(pytestconfig: pytest.Config) -> Iterator[None]:
    """Fail tests of the fast lane that start a process."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("A fast test started a process: see tests/lanes.py.")

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in _STARTERS if in_fast_lane(pytestconfig) else ():
            patched.setattr(owner, name, refuse)
        yield


def _uses_slow_fixture(test: pytest.Function) -> bool:
    values = test.callspec.params.values() if hasattr(test, "callspec") else ()
    return bool(SLOW_FIXTURES & set(test.fixturenames)) or any(
        isinstance(value, str) and value in SLOW_PARAMETERS for value in values
    )


def _longest_files_first(items: list[pytest.Item]) -> None:
    """Sort by file: files with slow tests first, of these the ones with few tests, which take
    minutes each; then the others, those with most tests first."""
    tests = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def position(item: pytest.Item) -> tuple[bool, int]:
        if item.path in slow:
            return False, tests[item.path]
        return True, -tests[item.path]

    items.sort(key=position)


class _WithoutTensorFlow:
    """An import hook that prevents importing TensorFlow."""

    def __init__(self) -> None:
        self._collecting = True
        sys.meta_path.insert(0, self)

    def pytest_collection_finish(self) -> None:
        self._collecting = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name in _TENSORFLOW:
            if self._collecting:
                pytest.skip("slow: the module imports TensorFlow", allow_module_level=True)
            pytest.fail("A fast test imported TensorFlow: see tests/lanes.py.")
        return None
