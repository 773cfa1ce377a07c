"""Real processes for tests, started as a user would and always stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from api.settings import PROJECT
from tests.waiting import until

LAUNCHER = PROJECT / "scripts" / "run.py"
# On loopback, at the port in RIPELINE_API_PORT.
API = [sys.executable, "-m", "api"]
WORKER = [sys.executable, "-m", "api.worker"]
STOP_SECONDS = 30
# The ports that this process has been given.
_given: set[int] = set()


@dataclass(frozen=True)
class Running:
    """The launcher with the API and the app behind it."""

    process: "subprocess.Popen[str]"
    api_url: str
    ui_url: str


def free_port() -> int:
    """A port on which nothing listens. Its server binds it only later, so no port is given twice,
    neither here nor in another process of the same test run.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        # Linux prefers odd ones, so the last bit does not tell the processes apart.
        if port // 2 % workers == worker % workers and port not in _given:
            _given.add(port)
            return port


def service_environment(state: str) -> dict[str, str]:
    """This process's environment with the state folder `state`, which also holds the catalog."""
    # Random samples would change the review queue.
    environment = {**os.environ, "RIPELINE_STATE_DIR": state, "RIPELINE_SAMPLED_SHARE": "0"}
    for name in ("DATABASE_URL", "STORAGE_URL"):
        environment.pop(name, None)
    return environment


def launcher_environment(api_port: int, ui_port: int, state: str = "") -> dict[str, str]:
    return {
        **service_environment(state),
        "RIPELINE_API_PORT": str(api_port),
        "RIPELINE_UI_PORT": str(ui_port),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running_everything(
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """API, app and worker as `make run` starts them, ready, with additional `settings`."""
    api_port, ui_port = free_port(), free_port()
    state = tempfile.mkdtemp(prefix="ripeline-state-")
    process = subprocess.Popen(
        [sys.executable, str(LAUNCHER)],
        env={**launcher_environment(api_port, ui_port, state), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for_line(process, "Ctrl-C stops it.")
        yield Running(process, f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{ui_port}")
    finally:
        _interrupt(process)
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def running_api(settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """The URL of an API on a free port, with `settings` in its environment.

    Without RIPELINE_STATE_DIR in `settings`, it gets a temporary state folder.
    """
    with api_process(settings) as (url, _):
        yield url


@contextmanager
def api_process(
    settings: Mapping[str, str] = MappingProxyType({}),
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """Like `running_api`, but also yields its process."""
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
        _interrupt(process)
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def running_app(api_url: str) -> Iterator[str]:
    """The URL of an app on a free port, for the API at `api_url`."""
    with app_process(api_url) as (url, _):
        yield url


@contextmanager
def app_process(
    api_url: str, settings: Mapping[str, str] = MappingProxyType({}), port: int = 0
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """Like `running_app`, but also yields its process; on a free port if `port` is 0."""
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
        _interrupt(process)


def app_command(port: int) -> list[str]:
    """The command that starts the app on loopback."""
    return [
        *(sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"),
        *("--server.address", "127.0.0.1", "--server.port", str(port)),
        *("--server.headless", "true"),
    ]


@contextmanager
def running_worker(settings: Mapping[str, str]) -> "Iterator[subprocess.Popen[str]]":
    """A worker that is ready for runs, with `settings` in its environment."""
    process = start_worker(settings)
    try:
        _wait_for_line(process, "Ready for retraining runs.")
        yield process
    finally:
        _interrupt(process)


def start_worker(settings: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        WORKER,
        cwd=PROJECT,
        env={**service_environment(""), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Processes:
    """Named processes, which can be killed and restarted. Their logs are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Starts by name; a restarted process appends to its log.
        self.starts: Counter[str] = Counter()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it in the project's folder, by default with this process's environment."""
        self.starts[name] += 1
        with self._log_file(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=log, stderr=log
            )

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def is_running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def kill(self, name: str) -> None:
        """Send SIGKILL and wait: no handler runs, nothing is flushed."""
        process = self._processes.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def terminate(self, name: str) -> None:
        """Send SIGTERM and wait."""
        process = self._processes.pop(name)
        process.terminate()
        _wait(process)

    def stop(self) -> None:
        """Terminate all of them."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            _wait(process)
        self._processes.clear()

    def log(self, name: str) -> str:
        return self._log_file(name).read_text(errors="replace")

    def wait_until_ready(self, name: str, url: str) -> None:
        """Wait until the process `name` answers at `url` with a 2xx."""

        def answers() -> bool:
            assert self._processes[name].poll() is None, self.log(name)
            try:
                return httpx.get(url, timeout=2, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        until(answers)

    def _log_file(self, name: str) -> Path:
        return self.folder / f"{name}.log"


class ApiAndWorker:
    """An API and a worker on one state folder."""

    def __init__(self, state: Path, settings: Mapping[str, str]) -> None:
        port = free_port()
        self._environment = {
            **service_environment(str(state)),
            "RIPELINE_API_PORT": str(port),
            **settings,
        }
        self._processes = Processes(state)
        self.url = f"http://127.0.0.1:{port}"

    def start(self, name: str) -> None:
        """Start "api" or "worker", and wait until the API is ready."""
        commands = {"api": API, "worker": WORKER}
        self._processes.start(name, commands[name], self._environment)
        if name == "api":
            self._processes.wait_until_ready("api", f"{self.url}/ready")

    def pid(self, name: str) -> int:
        return self._processes.pid(name)

    def kill(self, name: str) -> None:
        self._processes.kill(name)

    def stop(self) -> None:
        self._processes.stop()


def _wait_for_line(process: "subprocess.Popen[str]", text: str) -> None:
    """Read the output of `process` up to a line that contains `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"The process ended before it wrote {text!r}:\n{''.join(lines)}")


def _interrupt(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        # With a timeout, since a child that outlives it keeps the pipe open.
        process.communicate(timeout=STOP_SECONDS)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
