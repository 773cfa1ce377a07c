"""`python -m api.commands.bulk` as a process."""

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
from tests.commands.bulk.photographs import PATHS, contents, job_for, many, parts_done, put
from tests.processes import service_environment
from tests.waiting import until

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
    said, complained = process.communicate(timeout=300)
    return process.returncode, said, complained


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in found.split()]


def running(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_killed_command_resumes_and_writes_the_same_file(tmp_path: Path) -> None:
    folder, state = many(tmp_path / "photographs", PHOTOGRAPHS), tmp_path / "state"
    out, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    command = [folder, "--out", out, "--rows-a-part", "8", "--processes", "2"]
    process = start(command, state)
    until(lambda: parts_done(out) >= 2 or process.poll() is not None)
    workers = children(process.pid)
    assert workers
    process.kill()
    process.wait()
    # They must end with their command: they hold its pipes.
    try:
        assert until(lambda: not any(map(running, workers)), seconds=60)
    finally:
        for worker in filter(running, workers):
            os.kill(worker, signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    done = parts_done(out)
    assert 2 <= done < PHOTOGRAPHS // 8

    code, said, complained = run(command, state)
    assert code == 0, complained
    assert f"({done * 8} of them by an earlier command)" in said
    score(
        job_for(folder),
        whole,
        lambda batches: map(Grader(job_for(folder)), batches),
        rows_per_part=8,
    )
    assert out.read_bytes() == whole.read_bytes()
    paths = pq.read_table(out)["path"].to_pylist()
    assert paths == sorted(paths)
    assert len(set(paths)) == PHOTOGRAPHS
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.parquet",
        "photographs",
        "whole.parquet",
    ]  # And no state was made by looking for a champion.


@pytest.fixture
def control_c_is_heard() -> Iterator[None]:
    """Background jobs of a shell ignore SIGINT, and their children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("control_c_is_heard")
def test_ctrl_c_says_how_to_resume(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    folder = many(tmp_path / "photographs", PHOTOGRAPHS)
    process = start([folder, "--out", out, "--rows-a-part", "8", "--processes", "1"], tmp_path)
    until(lambda: parts_done(out) >= 1 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complained.splitlines()[-1] == "Stopped. Run the same command again to go on."
    assert "Traceback" not in complained
    assert parts_done(out) >= 1
    assert not out.exists()


def test_threshold_options(tmp_path: Path) -> None:
    put(str(tmp_path / "fruit"), {"a.jpg": contents()["B.JPG"]})
    out = tmp_path / "out.parquet"
    command = [tmp_path / "fruit", "--out", out, "--processes", "1", "--rotten-below", "1e-9"]
    code, _, complained = run([*command, "--fresh-from", "0.999999999"], tmp_path)
    assert code == 0, complained
    assert pq.read_table(out)["freshness_level"].to_pylist() == ["past_best"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fresh-from", "0.6"], "go together"),
        (["--rotten-below", "0.7", "--fresh-from", "0.6"], "must not be above the second"),
        (["--rotten-below", "nan", "--fresh-from", "0.6"], "between 0 and 1"),
    ],
)
def test_invalid_thresholds(arguments: list[str], said: str, tmp_path: Path) -> None:
    code, _, complained = run([tmp_path, "--out", tmp_path / "out.csv", *arguments], tmp_path)
    assert code == 2
    assert said in complained


def test_a_bucket_gives_the_same_table_as_a_folder(bucket: str, tmp_path: Path) -> None:
    put(f"{bucket}/fruit", contents())
    put(str(tmp_path / "fruit"), contents())
    for name, source in (("bucket", f"{bucket}/fruit"), ("folder", str(tmp_path / "fruit"))):
        out = tmp_path / f"{name}.csv"
        code, said, complained = run([source, "--out", out, "--processes", "1"], tmp_path)
        assert code == 0, complained
        assert f"{out} has {len(PATHS)} photographs, " in said
    assert (tmp_path / "bucket.csv").read_bytes() == (tmp_path / "folder.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--out", "out.csv"], "nowhere is no folder of photographs."),
        ([".", "--out", "out.txt"], "ends in .parquet or .csv"),
        ([".", "--out", "out.csv", "--model", "nothing"], "The model nothing cannot be used"),
        ([".", "--out", "out.csv", "--ray", "auto"], "requirements/cluster.txt"),
    ],
)
def test_errors_are_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    out = [str(tmp_path / argument) if "out." in argument else argument for argument in arguments]
    code, _, complained = run(out, tmp_path / "state")
    assert code == 1
    assert said in complained
    assert "Traceback" not in complained
    assert list(tmp_path.iterdir()) == []
