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


@pytest.mark.parametrize("setting", ["RIPELINE_API_PORT", "RIPELINE_UI_PORT"])
def test_port_in_use_is_reported_with_a_remedy(setting: str) -> None:
    environment = launcher_environment(free_port(), free_port())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = launch({**environment, setting: str(port)})
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in result.stderr
    assert f"{setting}=<port> make run" in result.stderr


def test_invalid_port_is_reported() -> None:
    result = launch({**launcher_environment(free_port(), free_port()), "RIPELINE_API_PORT": "web"})
    assert result.returncode == 1
    assert "RIPELINE_API_PORT=web is no port" in result.stderr


def test_same_port_for_api_and_app_is_rejected() -> None:
    port = free_port()
    result = launch(launcher_environment(port, port))
    assert result.returncode == 1
    assert f"cannot share port {port}" in result.stderr


def test_foreign_address_is_not_reported_as_port_in_use() -> None:
    environment = {
        **launcher_environment(free_port(), free_port()),
        "RIPELINE_HOST": "192.0.2.1",
    }
    result = launch(environment)
    assert result.returncode == 1
    assert "cannot listen on 192.0.2.1" in result.stderr
    assert "taken" not in result.stderr


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_the_launcher_stops_api_and_app(stop_signal: signal.Signals) -> None:
    with running_everything() as running:
        assert httpx.get(f"{running.api_url}/ready", trust_env=False).status_code == 200
        assert httpx.get(f"{running.ui_url}/_stcore/health", trust_env=False).status_code == 200
        running.process.send_signal(stop_signal)
        assert running.process.wait(timeout=30) == 0
        for url in (running.api_url, running.ui_url):
            with pytest.raises(httpx.ConnectError):
                httpx.get(url, trust_env=False)
