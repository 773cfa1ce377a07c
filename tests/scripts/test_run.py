"""`make run`: errors about ports, restarting, and stopping."""

import signal
import socket
import subprocess
import sys
from contextlib import suppress

import httpx
import psutil
import pytest

from tests.processes import (
    LAUNCHER,
    Running,
    free_port,
    launcher_environment,
    running_everything,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow


def children(launcher: int) -> dict[str, psutil.Process]:
    """The launcher's processes by service name."""
    found: dict[str, psutil.Process] = {}
    for child in psutil.Process(launcher).children():
        with suppress(psutil.NoSuchProcess):
            command = " ".join(child.cmdline())
            for name in ("streamlit", "api.worker", "api"):
                if name in command.split() or f"-m {name} " in f"{command} ":
                    found.setdefault(name, child)
                    break
    return found


def launch(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(LAUNCHER)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
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
    assert f"Port {port} on 127.0.0.1 is in use" in result.stderr
    assert f"{setting}=<port> make run" in result.stderr


def test_invalid_port_is_reported() -> None:
    result = launch({**launcher_environment(free_port(), free_port()), "RIPELINE_API_PORT": "web"})
    assert result.returncode == 1
    assert "RIPELINE_API_PORT=web is not a port" in result.stderr


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
    assert "in use" not in result.stderr


def test_app_under_a_path_becomes_ready_and_ends_by_sigterm() -> None:
    """The API also has a path, and its front page links to the app."""
    paths = {"STREAMLIT_SERVER_BASE_URL_PATH": "/fruit/", "RIPELINE_ROOT_PATH": "/grader/"}
    with running_everything(paths) as running:
        app = f"{running.ui_url}/fruit"
        assert httpx.get(f"{app}/_stcore/health", trust_env=False).status_code == 200
        html = {"accept": "text/html"}
        page = httpx.get(f"{running.api_url}/grader/", headers=html, trust_env=False).text
        assert f'href="{app}"' in page
        assert 'href="/grader/docs"' in page
        check_all_end(running, signal.SIGTERM)


def test_part_that_dies_is_started_again_until_ctrl_c_ends_all() -> None:
    with running_everything() as running:
        before = children(running.process.pid)
        assert set(before) == {"api", "streamlit", "api.worker"}
        for name, label in (("api.worker", "worker"), ("streamlit", "app"), ("api", "API")):
            before[name].kill()
            assert read_until(running, f"The {label} ended with status -9")
        after = until(lambda: found if len(found := children(running.process.pid)) == 3 else None)
        assert not {child.pid for child in after.values()} & {
            child.pid for child in before.values()
        }
        for url in (f"{running.api_url}/ready", f"{running.ui_url}/_stcore/health"):
            until(lambda url=url: answers(url))  # type: ignore[misc]
        check_all_end(running, signal.SIGINT)
        assert not any(child.is_running() for child in after.values())


def test_part_that_dies_again_and_again_is_started_after_growing_pauses() -> None:
    """Its last lines are shown, and other processes keep running. A closed terminal stops all."""
    with running_everything() as running:
        api = children(running.process.pid)["api"]
        for pause in ("and is being restarted.", "in 1 s", "in 2 s"):
            worker = until(lambda: children(running.process.pid).get("api.worker"))
            worker.kill()
            assert read_until(running, pause)
            if pause != "and is being restarted.":
                assert running.process.stdout is not None
                assert running.process.stdout.readline().startswith("  | ")
            assert read_until(running, "Ready for retraining runs.")
        assert children(running.process.pid)["api"].pid == api.pid
        check_all_end(running, signal.SIGHUP)


def check_all_end(running: Running, stop_signal: signal.Signals) -> None:
    """Check that API and app listen until the launcher gets the signal, and not after it has
    ended."""
    urls = (running.api_url, running.ui_url)
    for url in urls:
        httpx.get(url, trust_env=False)
    running.process.send_signal(stop_signal)
    assert running.process.wait(timeout=PATIENCE_SECONDS) == 0
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def read_until(running: Running, text: str) -> bool:
    """Read the launcher's output up to a line with `text`; False if it ends without one."""
    assert running.process.stdout is not None
    return any(text in line for line in running.process.stdout)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False
