"""`make clean-state` deletes only after the answer "yes"."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.processes import service_environment

pytestmark = pytest.mark.slow


def clean(state: Path, answer: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scripts.clean_state"],
        cwd=PROJECT,
        env=service_environment(str(state)),
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "blobs" / "models").mkdir(parents=True)
    (tmp_path / "catalog.db").write_text("x")
    return tmp_path


def test_yes_empties_the_state_folder(state: Path) -> None:
    result = clean(state, "yes\n")
    assert result.returncode == 0, result.stderr
    assert list(state.iterdir()) == []
    assert "already empty" in clean(state, "").stdout


def test_any_other_answer_deletes_nothing(state: Path) -> None:
    result = clean(state, "y\n")
    assert result.returncode == 1
    assert len(list(state.iterdir())) == 2
