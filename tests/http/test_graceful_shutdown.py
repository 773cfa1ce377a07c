"""Graceful shutdown: readiness fails first, and requests in progress are finished."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.settings import PROJECT
from tests.processes import free_port, service_environment
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

pytestmark = pytest.mark.slow

DRAIN_SECONDS = 3


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(tmp_path: Path, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A ready `python -m api`, as it is deployed."""
    settings = {"RIPELINE_DRAIN_SECONDS": str(DRAIN_SECONDS), "PORT": str(port)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"],
            cwd=PROJECT,
            env={**service_environment(str(tmp_path)), **settings},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: status(port, "/ready") == 200 or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.wait()


def status(port: int, path: str) -> int | None:
    """The status code, or None if the server no longer listens."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10, trust_env=False).status_code
    except httpx.HTTPError:
        return None


def test_on_sigterm_readiness_fails_first_and_running_requests_finish(
    process: "subprocess.Popen[bytes]", port: int
) -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")

    def grade() -> int:
        files = [("files", (f"{number}.jpg", image)) for number in range(200)]
        answer = httpx.post(
            f"http://127.0.0.1:{port}/predict/batch", files=files, timeout=120, trust_env=False
        )
        assert answer.json()["summary"]["graded"] == 200
        return answer.status_code

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(grade)
        os.kill(process.pid, signal.SIGTERM)
        readiness = until(lambda: status(port, "/ready") if status(port, "/ready") != 200 else None)
        assert readiness == 503
        # Requests are still accepted, and answers say that their connection ends.
        live = httpx.get(f"http://127.0.0.1:{port}/live", timeout=10, trust_env=False)
        assert (live.status_code, live.headers["connection"]) == (200, "close")
        assert status(port, "/health") == 200
        assert pending.result(120) == 200
    assert process.wait(60) == 0
    assert status(port, "/health") is None
