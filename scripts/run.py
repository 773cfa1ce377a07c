"""`make run`: start API, app and worker, and restart any that dies; stop all on Ctrl-C. If one
exits before all are ready, its settings or files are wrong, and all are stopped. Host and ports
come from RIPELINE_HOST, RIPELINE_API_PORT and RIPELINE_UI_PORT, the path of the app from
STREAMLIT_SERVER_BASE_URL_PATH. If the API has keys, the app needs a change key in RIPELINE_API_KEY.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

PROJECT = Path(__file__).resolve().parent.parent
READY_WITHIN_SECONDS = 90
STOP_WITHIN_SECONDS = 10
POLL_SECONDS = 0.2
# A service that ran for this long is restarted at once; any other after a pause, which doubles.
STABLE_SECONDS = 60.0
MAX_PAUSE_SECONDS = 60.0
LAST_LINES = 10
# A surviving child of the process keeps its output open.
COPY_WITHIN_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Ignores the proxy settings of the environment.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Endpoint:
    """Where a service listens; `ready_path` answers 200 once it is ready."""

    port_variable: str
    port: int
    ready_path: str


@dataclass(frozen=True)
class Service:
    """One process; `endpoint` is set if it serves HTTP."""

    name: str
    command: Sequence[str]
    endpoint: Endpoint | None = None


def main() -> int:
    host = os.environ.get("RIPELINE_HOST") or "127.0.0.1"
    try:
        api_port, ui_port = _port("RIPELINE_API_PORT", 8000), _port("RIPELINE_UI_PORT", 8501)
    except ValueError as error:
        return _fail(str(error))
    services = _services(host, api_port, ui_port)
    if api_port == ui_port:
        return _fail(f"API and app cannot share port {api_port}: RIPELINE_UI_PORT=<port> make run")
    for service in services:
        if service.endpoint and (refusal := _bind_error(host, service.name, service.endpoint)):
            return _fail(refusal)
    local = _local_address(host)
    environment = {
        "RIPELINE_UI_URL": f"http://{local}:{ui_port}{_ui_path()}",
        **os.environ,
        "RIPELINE_API_URL": f"http://{local}:{api_port}",
        "RIPELINE_API_PORT": str(api_port),
        # Unbuffered, so that a dying process's last lines arrive.
        "PYTHONUNBUFFERED": "1",
    }
    if sys.stderr.isatty():  # The processes write to pipes, where logs are JSON by default.
        environment.setdefault("RIPELINE_LOG_FORMAT", "console")
    stopping = threading.Event()
    # SIGINT too: shells start background jobs with SIGINT ignored.
    for stop in STOP_SIGNALS:
        signal.signal(stop, lambda _signal, _frame: stopping.set())
    parts = [Part(service, environment) for service in services]
    try:
        for part in parts:
            part.start()
        return _wait_until_ready(host, parts, stopping) or _keep_running(parts, stopping)
    finally:
        for stop in STOP_SIGNALS:
            signal.signal(stop, signal.SIG_IGN)
        _stop([part.process for part in parts if part.process])


class Part:
    """A service and its process, which is restarted when it exits."""

    def __init__(self, service: Service, environment: Mapping[str, str]) -> None:
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = environment
        self._lines: deque[bytes] = deque(maxlen=LAST_LINES)
        self._started_at = 0.0
        self._start_at = 0.0
        self._pause = 0.0

    def start(self) -> None:
        # In a session of its own, so that Ctrl-C reaches only this launcher, which stops them in
        # order.
        self.process = subprocess.Popen(
            self.service.command,
            cwd=PROJECT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._started_at = time.monotonic()
        self._lines = deque(maxlen=LAST_LINES)
        output = cast("BinaryIO", self.process.stdout)
        self._copying = threading.Thread(target=_copy, args=(output, self._lines), daemon=True)
        self._copying.start()

    def restart_if_ended(self) -> None:
        """Restart it, at once or after its pause."""
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self._try_to_start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        self._copying.join(COPY_WITHIN_SECONDS)
        name = self.service.name
        if time.monotonic() - self._started_at >= STABLE_SECONDS:
            self._pause = 0.0
        if not self._pause:
            _say(f"The {name} ended with status {status} and is being restarted.")
        else:
            _say(
                f"The {name} ended again with status {status} and will be restarted in "
                f"{self._pause:.0f} s. Its last lines:"
            )
            for line in self._lines:
                _say(f"  | {line.decode(errors='replace').rstrip()}")
        self._wait()

    def _try_to_start(self) -> None:
        try:
            self.start()
        except OSError as error:  # For example, out of memory; the other parts keep running.
            _say(f"The {self.service.name} cannot be started, and is tried again: {error}")
            self._wait()

    def _wait(self) -> None:
        """Wait for the pause before the next start, and lengthen it."""
        self._start_at = time.monotonic() + self._pause
        self._pause = min(max(2 * self._pause, 1.0), MAX_PAUSE_SECONDS)


def _copy(output: BinaryIO, lines: deque[bytes]) -> None:
    """Copy a process's output to this launcher's, and its last lines to `lines`."""
    with output:
        for line in output:
            lines.append(line)
            # If nobody read its output, the process would block.
            with suppress(OSError):
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()


def _services(host: str, api_port: int, ui_port: int) -> list[Service]:
    api = (sys.executable, "-m", "api")
    ui = (
        *(sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"),
        *("--server.address", host, "--server.port", str(ui_port), "--server.headless", "true"),
        # This launcher prints the addresses once all services are ready.
        *("--logger.hideWelcomeMessage", "true"),
    )
    return [
        Service("API", api, Endpoint("RIPELINE_API_PORT", api_port, "/ready")),
        Service("app", ui, Endpoint("RIPELINE_UI_PORT", ui_port, f"{_ui_path()}/_stcore/health")),
        Service("worker", (sys.executable, "-m", "api.worker")),
    ]


def _wait_until_ready(host: str, parts: Sequence[Part], stopping: threading.Event) -> int:
    """Announce the services once all are ready. Return 1 if one exits or takes too long."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    waiting = [(part.service.name, part.service.endpoint) for part in parts]
    while not stopping.wait(POLL_SECONDS):
        for part in parts:
            if part.process and (status := part.process.poll()) is not None:
                return _fail(
                    f"The {part.service.name} ended with status {status}; its messages are above."
                )
        waiting = [(name, place) for name, place in waiting if place and not _is_ready(host, place)]
        if not waiting:
            _announce(host, [part.service for part in parts])
            return 0
        if time.monotonic() > deadline:
            names = " and the ".join(name for name, _ in waiting)
            return _fail(f"The {names} did not answer in {READY_WITHIN_SECONDS} s.")
    return 0


def _keep_running(parts: Sequence[Part], stopping: threading.Event) -> int:
    while not stopping.wait(POLL_SECONDS):
        for part in parts:
            part.restart_if_ended()
    _say("\nStopping.")
    return 0


def _announce(host: str, services: Sequence[Service]) -> None:
    shown = "localhost" if _local_address(host) == "127.0.0.1" else host
    _say("\nRipeline is ready.")
    for service in services:
        if service.endpoint:
            path = _ui_path() if service.name == "app" else ""
            _say(f"  {service.name:4} http://{shown}:{service.endpoint.port}{path}")
    _say("Ctrl-C stops it.")


def _ui_path() -> str:
    """The path under which Streamlit serves the app; empty by default."""
    path = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip().strip("/")
    return f"/{path}" if path else ""


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{variable}={text} is not a port: give a number from 1 to 65535.")
    return int(text)


def _bind_error(host: str, name: str, endpoint: Endpoint) -> str:
    """Why the service cannot listen, and what to do; empty if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, endpoint.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"Port {endpoint.port} on {host} is in use, so the {name} cannot start. "
                    "Stop the process that uses it, or choose another port: "
                    f"{endpoint.port_variable}=<port> make run"
                )
            return (
                f"The {name} cannot listen on {host}, port {endpoint.port}: "
                f"{error.strerror}. RIPELINE_HOST must be an IPv4 address of this machine."
            )
    return ""


def _local_address(host: str) -> str:
    """The address at which this machine reaches a service that listens on `host`."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


def _is_ready(host: str, endpoint: Endpoint) -> bool:
    url = f"http://{_local_address(host)}:{endpoint.port}{endpoint.ready_path}"
    try:
        with DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _say(message: str) -> None:
    """Print, and ignore a full disk or a closed pipe."""
    with suppress(OSError):
        print(message, flush=True)


def _fail(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
