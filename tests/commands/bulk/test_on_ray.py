"""Bulk scoring on a Ray cluster of two nodes (`make test-ray`)."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from api.commands.bulk.grader import Grader
from api.commands.bulk.score import score
from api.settings import PROJECT
from tests.commands.bulk.photographs import PATHS, contents, job_for, put, write_many
from tests.processes import free_port, service_environment
from tests.waiting import until

pytestmark = pytest.mark.slow

PYTHON = "RIPELINE_CLUSTER_PYTHON"
PHOTOGRAPHS, MANY = 200, 1000
# One per core of the cluster.
WORKERS = 2
ACTOR = "_GradeActor"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if not os.environ.get(PYTHON):
        pytest.skip(f"needs a Python with Ray: make test-ray, or set {PYTHON}")
    state = tmp_path_factory.mktemp("state")
    # Stops Ray from sending telemetry.
    return {**service_environment(str(state)), "RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture(scope="module")
def cluster(environment: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        [os.environ[PYTHON], "-m", "tests.commands.bulk.two_nodes"],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next((line.strip() for line in process.stdout if line[0].isdigit()), "")
        assert address, "The cluster did not start."
        yield address
    finally:
        process.communicate(timeout=120)  # Closing its stdin stops the cluster.


def workers_at_work(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The cluster's two workers, once both are grading."""
    assert process.poll() is None, "It ended before both of its workers were there."
    titles = {
        one: " ".join(one.info["cmdline"] or ()).rstrip()
        for one in psutil.process_iter(["cmdline"])
    }
    workers = [one for one, title in titles.items() if ACTOR in title]
    # Ray names processes after what they are doing.
    grading = [one for one in workers if titles[one].endswith(".submit")]
    return grading if len(workers) == WORKERS else []


def on_ray(
    arguments: list[object], environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [os.environ[PYTHON], "-m", "api.commands.bulk", *map(str, arguments)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def test_cluster_writes_the_same_file(
    cluster: str, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = Path(put(str(tmp_path / "photographs"), contents()))
    write_many(folder / "more", PHOTOGRAPHS)
    local_out, cluster_out = tmp_path / "alone.parquet", tmp_path / "spread.parquet"
    done = on_ray(
        [folder, "--out", cluster_out, "--rows-a-part", 50, "--ray", cluster], environment
    )
    assert done.returncode == 0, done.stderr
    # The service's default limits.
    job = job_for(folder, max_bytes=25 * 2**20)
    grader = Grader(job)
    score(job, local_out, lambda batches: map(grader, batches), rows_per_part=50)
    assert pq.read_table(cluster_out).num_rows == len(PATHS) + PHOTOGRAPHS
    assert cluster_out.read_bytes() == local_out.read_bytes()


def test_killed_worker_of_the_cluster_loses_nothing(
    cluster: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """One of two workers is killed while it grades: Ray starts another, which gets its photos."""
    folder = tmp_path / "photographs"
    write_many(folder, MANY)
    out, local_out = tmp_path / "spread.parquet", tmp_path / "alone.parquet"
    arguments = [folder, "--out", out, "--rows-a-part", 500, "--ray", cluster]
    process = subprocess.Popen(
        [os.environ[PYTHON], "-m", "api.commands.bulk", *map(str, arguments)],
        cwd=PROJECT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = until(lambda: workers_at_work(process))[0]
    killed.kill()
    _, complaints = process.communicate(timeout=900)
    assert process.returncode == 0, complaints
    job = job_for(folder, max_bytes=25 * 2**20)
    score(job, local_out, lambda batches: map(Grader(job), batches), rows_per_part=500)
    assert out.read_bytes() == local_out.read_bytes()


def test_unreachable_cluster_is_reported(environment: dict[str, str], tmp_path: Path) -> None:
    put(str(tmp_path / "photographs"), contents())
    address = f"127.0.0.1:{free_port()}"
    out = tmp_path / "out.csv"
    done = on_ray([tmp_path / "photographs", "--out", out, "--ray", address], environment)
    assert done.returncode == 1
    assert f"No Ray cluster answers at {address}" in done.stderr
    assert "Traceback" not in done.stderr
