"""`make bench` measures the engine in use, and fails if a target is missed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import benchmarks.__main__ as bench
from api.settings import PROJECT
from benchmarks.report import render
from benchmarks.results import Report, Results, keep, kept_reports
from benchmarks.startup import StartupFigures

Run = Callable[..., int]
# Variables that pytest sets, and those that this package sets for the tests.
PYTEST = {"PYTEST_VERSION", "PYTEST_CURRENT_TEST", "RIPELINE_ENGINE", "OPENBLAS_NUM_THREADS"}


@pytest.mark.slow
def test_benchmarks_run_with_the_engine_and_the_threads_of_the_service() -> None:
    program = (
        "import benchmarks.__main__\n"
        "import threadpoolctl\n"
        "from api.settings import get_settings\n"
        "threads = {one['num_threads'] for one in threadpoolctl.threadpool_info()}\n"
        "print(get_settings().engine, threads)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in PYTEST}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, check=True, env=environment, cwd=PROJECT)

    assert result.stdout.strip() == b"auto {1}"


def test_document_is_made_of_the_reports_that_are_kept() -> None:
    assert bench.RESULTS.read_text() == render(kept_reports())


@pytest.mark.parametrize(("seconds", "status"), [(1.5, 0), (2.5, 1)])
def test_missed_target_fails_and_the_figures_are_written(
    one_part: Path, run: Run, capsys: pytest.CaptureFixture[str], seconds: float, status: int
) -> None:
    assert run(seconds) == status

    assert f"{seconds:.3g} s" in (one_part / "results.md").read_text()
    assert ("missed start" in capsys.readouterr().err) == bool(status)


def test_report_replaces_only_the_one_of_its_own_processor(one_part: Path, run: Run) -> None:
    keep(Report("Another", "Another, 2 cores", "litert, f32", "", "", Results()), one_part / "kept")
    run(1.5)
    run(1.6)

    text = (one_part / "results.md").read_text()
    assert "| metric | target | Another: litert, f32 | This one: litert, f32 |" in text
    assert "1.6 s" in text
    assert "1.5 s" not in text


@pytest.mark.parametrize(("option", "parts"), [("--quick", 1), ("--only=starting", 2)])
def test_quick_or_partial_run_is_printed_and_not_kept(
    one_part: Path, run: Run, capsys: pytest.CaptureFixture[str], option: str, parts: int
) -> None:
    assert run(1.5, option, parts=parts) == 0

    assert "| start to first prediction | at most 2 s | 1.5 s |" in capsys.readouterr().out
    assert not list(one_part.iterdir())


@pytest.fixture
def one_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for reports; the benchmarks have a single part, which measures nothing."""
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.md")
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(bench, "BENCH", PROJECT)
    monkeypatch.setattr(bench, "CORES", [0, 1])
    monkeypatch.setattr(bench, "processor", lambda: "This one")
    monkeypatch.setattr(bench, "describe_engine", lambda: "litert, f32")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the benchmarks with these options, as if startup took this many seconds. Only the first
    of `parts`, the startup, may be measured."""

    def bench_of(seconds: float, *options: str, parts: int = 1) -> int:
        measured = {
            "starting": lambda *_: StartupFigures(seconds, seconds),
            "memory": lambda *_: pytest.fail("not asked for"),
        }
        monkeypatch.setattr(bench, "PARTS", dict(list(measured.items())[:parts]))
        monkeypatch.setattr(sys, "argv", ["benchmarks", *options])
        return bench.main()

    return bench_of
