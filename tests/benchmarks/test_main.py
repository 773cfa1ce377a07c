"""`make bench` measures the engine that serves, and fails if a target is missed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks.__main__ as bench
from api.settings import PROJECT
from benchmarks.startup import StartupFigures

# Of pytest, and what it sets for the tests.
PYTEST = {"PYTEST_VERSION", "PYTEST_CURRENT_TEST", "RIPELINE_ENGINE", "OPENBLAS_NUM_THREADS"}


@pytest.mark.slow
def test_benchmarks_do_not_run_with_the_engine_of_the_tests() -> None:
    program = (
        "import benchmarks.__main__\n"
        "from api.settings import get_settings\n"
        "print(get_settings().engine)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in PYTEST}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, check=True, env=environment, cwd=PROJECT)

    assert result.stdout.strip() == b"auto"


@pytest.mark.parametrize(("seconds", "status"), [(1.5, 0), (2.5, 1)])
def test_missed_target_fails_and_the_figures_are_written(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    seconds: float,
    status: int,
) -> None:
    results = tmp_path / "results.md"
    figures = StartupFigures(seconds, seconds)
    monkeypatch.setattr(bench, "PARTS", {"starting": lambda *_: figures})
    monkeypatch.setattr(bench, "RESULTS", results)
    monkeypatch.setattr(bench, "BENCH", tmp_path)
    monkeypatch.setattr(bench, "CORES", [0, 1])
    monkeypatch.setattr(bench, "describe_engine", lambda: "litert, f32")
    monkeypatch.setattr(sys, "argv", ["benchmarks"])

    assert bench.main() == status

    assert f"{seconds:.3g} s" in results.read_text()
    assert ("missed start" in capsys.readouterr().err) == bool(status)
