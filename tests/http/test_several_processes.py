"""Several processes on one port report the same counts, which exclude processes that have died."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.hostile.serving import Served, serving
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow

PROCESSES = 2
PHOTOS = 12
ASKED = 12
CONNECTIONS = 64


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving({"WEB_CONCURRENCY": str(PROCESSES)}) as served:
        yield served


def get(served: Served, path: str) -> httpx.Response:
    """GET through a new connection, which any of the processes may accept."""
    return httpx.get(f"{served.url}{path}", timeout=60, trust_env=False)


def workers(served: Served) -> set[int]:
    """The listening processes, without multiprocessing's own."""
    found = set()
    for child in psutil.Process(served.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # Also raised for a zombie.
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def metric(served: Served, name: str) -> float:
    lines = get(served, "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def metrics_folder(served: Served) -> Path:
    (worker, *_) = workers(served)
    return Path(psutil.Process(worker).environ()["PROMETHEUS_MULTIPROC_DIR"])


def counts(served: Served) -> set[float]:
    found = set()
    for _ in range(ASKED):
        found.add(get(served, "/health").json()["prediction_count"])
        found.add(get(served, "/status").json()["total_predictions"])
        found.add(get(served, "/model-info").json()["prediction_count"])
        found.add(metric(served, "ripeline_predictions_total"))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux deals connections among sockets")
def test_simultaneous_connections_are_distributed_among_the_processes(served: Served) -> None:
    until(lambda: len(sockets(served, "LISTEN")) == PROCESSES)
    # With a shared socket, the first process to wake up could take all waiting connections.
    listening = sockets(served, "LISTEN").values()
    assert len(set.union(*listening)) == PROCESSES

    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    url = f"{served.url}/live"

    async def open_all() -> list[int]:
        """How many connections each process has while all are open."""
        async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
            await asyncio.gather(*(client.get(url) for _ in range(CONNECTIONS)))
            return [len(found) for found in sockets(served, "ESTABLISHED").values()]

    counted = asyncio.run(open_all())
    assert len(counted) == PROCESSES
    # The probability that chance gives a process fewer than eight of 64 is 1 in 10^10.
    assert min(counted) >= CONNECTIONS / 8, counted


def sockets(served: Served, status: str) -> dict[int, set[str]]:
    """The kernel's names for the sockets with this status, by process."""
    found: dict[int, set[str]] = {}
    for pid in workers(served):
        for one in psutil.Process(pid).net_connections("tcp"):
            if one.status == status:
                name = os.readlink(f"/proc/{pid}/fd/{one.fd}")  # noqa: PTH115
                found.setdefault(pid, set()).add(name)
    return found


def test_all_processes_report_the_same_count_even_after_one_has_died(served: Served) -> None:
    photo = encode(draw_fruit("freshapples"), "JPEG")
    for _ in range(PHOTOS):
        answer = httpx.post(
            f"{served.url}/predict", files={"file": photo}, timeout=ANSWER_SECONDS, trust_env=False
        )
        assert answer.status_code == 200
    assert counts(served) == {PHOTOS}

    folder, before = metrics_folder(served), workers(served)
    dead = min(before)
    os.kill(dead, signal.SIGKILL)
    until(lambda: len(workers(served) - {dead}) == PROCESSES)
    until(served.answers)
    assert counts(served) == {PHOTOS}
    assert metric(served, "ripeline_champion_info") == 1
    assert not list(folder.glob(f"gauge_live*_{dead}.db"))


def test_missing_metrics_folder_is_reported(served: Served) -> None:
    folder = metrics_folder(served)
    hidden = folder.rename(folder.with_suffix(".hidden"))
    try:
        answer = get(served, "/metrics")
        assert (answer.status_code, answer.json()["code"]) == (503, "metrics-folder-missing")
        assert str(folder) in answer.json()["detail"]
        assert get(served, "/health").status_code == 200
    finally:
        hidden.rename(folder)


def test_metrics_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with (
        pytest.raises(AssertionError, match="cannot be used: Not a directory"),
        serving({"PROMETHEUS_MULTIPROC_DIR": str(file / "metrics")}),
    ):
        pass
