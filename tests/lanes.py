"""The fast lane, `pytest -m "not slow"`: which tests are in it, and what they may not do.

A test is slow if it uses one of SLOW_FIXTURES, runs on PostgreSQL, or uses one of SLOW_MODULES,
directly or through helpers and fixtures in tests/. In the fast lane, a test module that imports
TensorFlow is skipped, and a test that still imports it or starts a process fails.
"""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from multiprocessing.process import BaseProcess
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn

import pytest

FAST = "not slow"
SLOW_FIXTURES = {"postgres", "s3", "browser", "eager_training"}
# These start processes (MLflow does when it is imported), or do a whole retraining run.
SLOW_MODULES = {
    "subprocess",
    "api.commands.backup.service",
    "api.commands.bulk.workers",
    "api.commands.training",
    "api.evaluation.tracking",
    "api.retraining.run_process",
    "api.retraining.supervisor",
    "scripts.api_models",
}
_TENSORFLOW = ("tensorflow", "keras")
_STARTERS = ((subprocess.Popen, "__init__"), (BaseProcess, "start"), (os, "fork"))


def in_fast_lane(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == FAST)


def pytest_configure(config: pytest.Config) -> None:
    if in_fast_lane(config):
        config.pluginmanager.register(_WithoutTensorFlow())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and is_slow(item):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _no_processes(pytestconfig: pytest.Config) -> Iterator[None]:
    """In the fast lane, a test that starts a process fails."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("A fast test started a process: see tests/lanes.py.")

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in _STARTERS if in_fast_lane(pytestconfig) else ():
            patched.setattr(owner, name, refuse)
        yield


def is_slow(test: pytest.Function) -> bool:
    if SLOW_FIXTURES & set(test.fixturenames):
        return True
    if hasattr(test, "callspec") and "postgresql" in test.callspec.params.values():
        return True
    fixtures = [one.func for found in test._fixtureinfo.name2fixturedefs.values() for one in found]
    seen: set[CodeType] = set()
    return any(_uses_slow_module(one, seen) for one in (test.function, *fixtures))


def _uses_slow_module(used: Any, seen: set[CodeType]) -> bool:
    """Whether `used` is one, or comes from one, or is code of tests/ that uses one."""
    module = used.__name__ if isinstance(used, ModuleType) else getattr(used, "__module__", "")
    if module in SLOW_MODULES:
        return True
    if not str(module).startswith("tests."):
        return False
    if isinstance(used, type):
        return any(_uses_slow_module(member, seen) for member in vars(used).values())
    function = inspect.unwrap(used) if callable(used) else used
    if not isinstance(function, FunctionType) or function.__code__ in seen:
        return False
    seen.add(function.__code__)
    named = [function.__globals__.get(name) for name in _names(function.__code__)]
    return any(_uses_slow_module(one, seen) for one in named)


def _names(code: CodeType) -> Iterator[str]:
    """Global names in the code of a function and of those within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


class _WithoutTensorFlow:
    """Finds TensorFlow first, so that nobody imports it."""

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
