"""Graceful shutdown: readiness fails first, and requests in progress are finished."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.settings import PROJECT
from tests.hostile.requests import field, form, form_type, request
from tests.processes import free_port, service_environment
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow

DRAIN_SECONDS = 3
# The service sends 100 Continue when it begins to read the body.
ASKS_FIRST = (b"Expect", b"100-continue")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(tmp_path: Path, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A ready `python -m api`, as deployed."""
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
    url = f"http://127.0.0.1:{port}{path}"
    try:
        return httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False).status_code
    except httpx.HTTPError:
        return None


def unready(port: int) -> str:
    """Empty while the service is ready, then the status."""
    found = status(port, "/ready")
    return "" if found == 200 else str(found)


def test_on_sigterm_readiness_fails_first_and_running_requests_finish(
    process: "subprocess.Popen[bytes]", port: int
) -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")
    body = form([field(b"files", image, b"%d.jpg" % number) for number in range(20)])
    head = request("batch", b"POST", b"/predict/batch", [form_type(), ASKS_FIRST], body).data
    head = head.removesuffix(body)

    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
        connection.sendall(head)
        # From here on the request is in progress until its body is sent.
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        os.kill(process.pid, signal.SIGTERM)
        assert until(lambda: unready(port)) == "503"
        # Requests are still accepted, and responses say that the connection will close.
        live = httpx.get(f"http://127.0.0.1:{port}/live", timeout=ANSWER_SECONDS, trust_env=False)
        assert (live.status_code, live.headers["connection"]) == (200, "close")
        assert status(port, "/health") == 200

        until(lambda: status(port, "/live") is None)
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"graded":20' in answer
    assert process.wait(PATIENCE_SECONDS) == 0
    assert status(port, "/health") is None
