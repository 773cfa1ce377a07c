"""`make run`: errors about ports, and stopping."""

import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.processes import LAUNCHER, free_port, launcher_environment, running_everything

pytestmark = pytest.mark.slow


def launch(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(LAUNCHER)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("taken", ["RIPELINE_API_PORT", "RIPELINE_UI_PORT"])
def test_a_taken_port_is_reported_with_a_remedy(taken: str) -> None:
    environment = launcher_environment(free_port(), free_port())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = launch({**environment, taken: str(port)})
    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in ended.stderr
    assert f"{taken}=<port> make run" in ended.stderr


def test_an_invalid_port_is_reported() -> None:
    ended = launch({**launcher_environment(free_port(), free_port()), "RIPELINE_API_PORT": "web"})
    assert ended.returncode == 1
    assert "RIPELINE_API_PORT=web is no port" in ended.stderr


def test_the_same_port_for_both_is_rejected() -> None:
    port = free_port()
    ended = launch(launcher_environment(port, port))
    assert ended.returncode == 1
    assert f"cannot share port {port}" in ended.stderr


def test_an_address_of_another_machine_is_not_reported_as_taken() -> None:
    environment = {
        **launcher_environment(free_port(), free_port()),
        "RIPELINE_HOST": "192.0.2.1",
    }
    ended = launch(environment)
    assert ended.returncode == 1
    assert "cannot listen on 192.0.2.1" in ended.stderr
    assert "taken" not in ended.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_the_launcher_stops_both(sent: signal.Signals) -> None:
    with running_everything() as running:
        assert httpx.get(f"{running.api_url}/ready", trust_env=False).status_code == 200
        assert httpx.get(f"{running.ui_url}/_stcore/health", trust_env=False).status_code == 200
        running.process.send_signal(sent)
        assert running.process.wait(timeout=30) == 0
        for url in (running.api_url, running.ui_url):
            with pytest.raises(httpx.ConnectError):
                httpx.get(url, trust_env=False)
