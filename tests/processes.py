"""Real processes for tests, started as a user starts them and always ended."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType

from api.settings import PROJECT

LAUNCHER = PROJECT / "scripts" / "run.py"


@dataclass(frozen=True)
class Running:
    """The launcher with the API and the app behind it."""

    process: "subprocess.Popen[str]"
    api_url: str
    ui_url: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def service_environment(state: str) -> dict[str, str]:
    """This process's environment, but with the catalog in the folder `state`."""
    chosen = {**os.environ, "RIPELINE_STATE_DIR": state}
    for name in ("DATABASE_URL", "STORAGE_URL"):
        chosen.pop(name, None)
    return chosen


def launcher_environment(api_port: int, ui_port: int, state: str = "") -> dict[str, str]:
    return {
        **service_environment(state),
        "RIPELINE_API_PORT": str(api_port),
        "RIPELINE_UI_PORT": str(ui_port),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running_everything() -> Iterator[Running]:
    """What `make run` starts, ready to be used."""
    api_port, ui_port = free_port(), free_port()
    state = tempfile.mkdtemp(prefix="ripeline-state-")
    process = subprocess.Popen(
        [sys.executable, str(LAUNCHER)],
        env=launcher_environment(api_port, ui_port, state),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for_line(process, "Ctrl-C stops it.")
        yield Running(process, f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{ui_port}")
    finally:
        _end(process)
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def running_api(settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """The API alone on a free port, with `settings` in its environment; gives its address.

    Without a RIPELINE_STATE_DIR among them it has a catalog of its own, which goes with it.
    """
    with api_process(settings) as (url, _):
        yield url


@contextmanager
def api_process(
    settings: Mapping[str, str] = MappingProxyType({}),
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """The same, with its process."""
    port = free_port()
    state = tempfile.mkdtemp(prefix="ripeline-state-")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "api.app:app", "--port", str(port), "--no-access-log"],
        cwd=PROJECT,
        env={**service_environment(state), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_for_line(process, "Uvicorn running on")
        yield f"http://127.0.0.1:{port}", process
    finally:
        _end(process)
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def running_app(api_url: str) -> Iterator[str]:
    """The app alone on a free port, for the API at `api_url`; gives the app's address."""
    with app_process(api_url) as (url, _):
        yield url


@contextmanager
def app_process(
    api_url: str, settings: Mapping[str, str] = MappingProxyType({}), port: int = 0
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """The same, with its process; with `settings` in its environment and on `port`, if any."""
    port = port or free_port()
    process = subprocess.Popen(
        app_command(port),
        cwd=PROJECT,
        env={**os.environ, **settings, "RIPELINE_API_URL": api_url, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_for_line(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", process
    finally:
        _end(process)


def app_command(port: int) -> list[str]:
    """The app on loopback."""
    return [
        *(sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"),
        *("--server.address", "127.0.0.1", "--server.port", str(port)),
        *("--server.headless", "true"),
    ]


@contextmanager
def running_worker(settings: Mapping[str, str]) -> "Iterator[subprocess.Popen[str]]":
    """A worker, with `settings` in its environment, ready for runs."""
    process = start_worker(settings)
    try:
        _wait_for_line(process, "Ready for retraining runs.")
        yield process
    finally:
        _end(process)


def start_worker(settings: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "api.worker"],
        cwd=PROJECT,
        env={**service_environment(""), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for_line(process: "subprocess.Popen[str]", text: str) -> None:
    """Read the output of `process` until a line has `text` in it."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return
    raise AssertionError(f"The process ended without saying {text!r}:\n{''.join(seen)}")


def _end(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
