"""`python -m api.commands.bulk` as a separate process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from api.commands.bulk.grader import Grader
from api.commands.bulk.score import score
from api.settings import PROJECT
from tests.commands.bulk.photographs import PATHS, contents, job_for, parts_done, put, write_many
from tests.processes import service_environment
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow

PHOTOGRAPHS = 300


def start(arguments: Sequence[object], state: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "api.commands.bulk", *map(str, arguments)],
        cwd=PROJECT,
        env=service_environment(str(state)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(arguments: Sequence[object], state: Path) -> "tuple[int, str, str]":
    process = start(arguments, state)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output, errors


def children(process: int) -> list[int]:
    pids = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in pids.split()]


def running(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_earlier_command_name_works_and_other_files_are_counted(tmp_path: Path) -> None:
    folder = write_many(tmp_path / "photographs", 2)
    for name in ("a.gif", "b.gif", "notes.txt"):
        (folder / name).write_bytes(b"x")
    command = [sys.executable, "-m", "api.bulk", folder, "--out", tmp_path / "out.csv"]
    done = subprocess.run(
        [*map(str, command), "--model", "default"],
        cwd=PROJECT,
        env=service_environment(str(tmp_path / "state")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "has 2 photographs, 0 of them with an error" in done.stdout
    assert "Files skipped because they are not photos: 3 (.gif, .txt)." in done.stdout


def test_each_fruit_is_graded_on_request(tmp_path: Path) -> None:
    folder, out = write_many(tmp_path / "photographs", 2), tmp_path / "out.csv"
    command = [folder, "--out", out, "--model", "default", "--instances"]
    code, output, errors = run(command, tmp_path / "state")
    assert code == 0, errors
    second = tmp_path / "out.instances.csv"
    fruits = len(second.read_text().splitlines()) - 1
    assert f"{second} has the {fruits} fruits in them." in output


def test_killed_command_resumes_and_writes_the_same_file(tmp_path: Path) -> None:
    folder, state = write_many(tmp_path / "photographs", PHOTOGRAPHS), tmp_path / "state"
    out, uninterrupted = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    command = [folder, "--out", out, "--rows-a-part", "8", "--processes", "2"]
    process = start(command, state)
    until(lambda: parts_done(out) >= 2 or process.poll() is not None)
    workers = children(process.pid)
    assert workers
    process.kill()
    process.wait()
    # They must exit with their parent because they hold its pipes open.
    try:
        assert until(lambda: not any(map(running, workers)), seconds=60)
    finally:
        for worker in filter(running, workers):
            os.kill(worker, signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    done = parts_done(out)
    assert 2 <= done < PHOTOGRAPHS // 8

    code, output, errors = run(command, state)
    assert code == 0, errors
    assert f"({done * 8} of them graded by an earlier run)" in output
    score(
        job_for(folder),
        uninterrupted,
        lambda batches: map(Grader(job_for(folder)), batches),
        rows_per_part=8,
    )
    assert out.read_bytes() == uninterrupted.read_bytes()
    paths = pq.read_table(out)["path"].to_pylist()
    assert paths == sorted(paths)
    assert len(set(paths)) == PHOTOGRAPHS
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.parquet",
        "photographs",
        "whole.parquet",
    ]  # Looking for a champion must not create state.


@pytest.fixture
def default_sigint_handler() -> Iterator[None]:
    """Shells start background jobs with SIGINT ignored, which child processes inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_sigint_handler")
def test_ctrl_c_prints_how_to_resume(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    folder = write_many(tmp_path / "photographs", PHOTOGRAPHS)
    process = start([folder, "--out", out, "--rows-a-part", "8", "--processes", "1"], tmp_path)
    until(lambda: parts_done(out) >= 1 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "Stopped. Run the same command again to resume."
    assert "Traceback" not in errors
    assert parts_done(out) >= 1
    assert not out.exists()


def test_threshold_options_decide_the_levels(tmp_path: Path) -> None:
    put(str(tmp_path / "fruit"), {"a.jpg": contents()["B.JPG"]})
    out = tmp_path / "out.parquet"
    command = [tmp_path / "fruit", "--out", out, "--processes", "1", "--rotten-below", "1e-9"]
    code, _, errors = run([*command, "--fresh-from", "0.999999999"], tmp_path)
    assert code == 0, errors
    assert pq.read_table(out)["freshness_level"].to_pylist() == ["past_best"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fresh-from", "0.6"], "go together"),
        (["--rotten-below", "0.7", "--fresh-from", "0.6"], "must not be above the second"),
        (["--rotten-below", "nan", "--fresh-from", "0.6"], "between 0 and 1"),
    ],
)
def test_invalid_thresholds_are_rejected(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    code, _, errors = run([tmp_path, "--out", tmp_path / "out.csv", *arguments], tmp_path)
    assert code == 2
    assert message in errors


def test_bucket_gives_the_same_table_as_a_folder(bucket: str, tmp_path: Path) -> None:
    put(f"{bucket}/fruit", contents())
    put(str(tmp_path / "fruit"), contents())
    for name, source in (("bucket", f"{bucket}/fruit"), ("folder", str(tmp_path / "fruit"))):
        out = tmp_path / f"{name}.csv"
        code, output, errors = run([source, "--out", out, "--processes", "1"], tmp_path)
        assert code == 0, errors
        assert f"{out} has {len(PATHS)} photographs, " in output
    assert (tmp_path / "bucket.csv").read_bytes() == (tmp_path / "folder.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--out", "out.csv"], "nowhere is not a folder of photographs."),
        ([".", "--out", "out.txt"], "ends in .parquet or .csv"),
        ([".", "--out", "out.csv", "--model", "nothing"], "The model nothing cannot be used"),
        ([".", "--out", "out.csv", "--ray", "auto"], "requirements/cluster.txt"),
    ],
)
def test_errors_have_no_traceback(arguments: list[str], message: str, tmp_path: Path) -> None:
    out = [str(tmp_path / argument) if "out." in argument else argument for argument in arguments]
    code, _, errors = run(out, tmp_path / "state")
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
