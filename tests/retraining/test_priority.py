"""Runs have the lowest CPU priority."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.retraining.run_process import AUTOGROUP, NICE

pytestmark = pytest.mark.slow

LOWERED = "from api.retraining.run_process import *; lower_priority(); import os; print(os.nice(0))"
# A run's process that only prints its niceness.
EXECUTED = """
import os
from api.retraining import run_process
run_process.execute_run = lambda *_: print(os.nice(0))
run_process.main("run", os.getppid())
"""


def run(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        start_new_session=True,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_lower_priority_sets_the_highest_niceness() -> None:
    assert int(run(LOWERED)) == NICE


def test_run_process_lowers_its_priority_first(tmp_path: Path) -> None:
    assert int(run(EXECUTED, RIPELINE_STATE_DIR=str(tmp_path))) == NICE


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="sessions share the processor evenly on Linux")
def test_lower_priority_applies_to_its_own_session_only() -> None:
    own_autogroup = AUTOGROUP.read_text()
    output = run(f"{LOWERED}; print(AUTOGROUP.read_text())").splitlines()
    assert output[1].endswith(f"nice {NICE}")
    assert AUTOGROUP.read_text() == own_autogroup
    assert not own_autogroup.startswith(output[1].split()[0])


def test_lower_priority_works_without_autogroups(tmp_path: Path) -> None:
    missing = tmp_path / "no folder" / "autogroup"
    lower = f"from api.retraining.run_process import *; lower_priority(Path({str(missing)!r}))"
    assert run(f"{lower}; print('on')") == "on\n"
    assert os.nice(0) < NICE
