"""A run leaves the processor to whoever serves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.retraining.run_process import AUTOGROUP, NICE

LOWERED = "from api.retraining.run_process import *; lower_priority(); import os; print(os.nice(0))"
# The process of a run, but that its work is to say how nice it is.
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


def test_the_process_is_as_nice_as_can_be() -> None:
    assert int(run(LOWERED)) == NICE


def test_a_run_gives_way_before_it_begins(tmp_path: Path) -> None:
    assert int(run(EXECUTED, RIPELINE_STATE_DIR=str(tmp_path))) == NICE


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="sessions share the processor evenly on Linux")
def test_so_is_its_session_and_no_other() -> None:
    ours = AUTOGROUP.read_text()
    said = run(f"{LOWERED}; print(AUTOGROUP.read_text())").splitlines()
    assert said[1].endswith(f"nice {NICE}")
    assert AUTOGROUP.read_text() == ours
    assert not ours.startswith(said[1].split()[0])


def test_a_system_without_such_groups_is_none_the_worse(tmp_path: Path) -> None:
    missing = tmp_path / "no folder" / "autogroup"
    lower = f"from api.retraining.run_process import *; lower_priority(Path({str(missing)!r}))"
    assert run(f"{lower}; print('on')") == "on\n"
    assert os.nice(0) < NICE
