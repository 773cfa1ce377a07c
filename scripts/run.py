"""`make run`: start API, app and worker, wait until they are ready, stop them on Ctrl-C.

Host and ports come from RIPELINE_HOST, RIPELINE_API_PORT and RIPELINE_UI_PORT. Where the API has
keys, the app needs a change key in RIPELINE_API_KEY.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
READY_WITHIN_SECONDS = 90
STOP_WITHIN_SECONDS = 10
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
    """One process; `endpoint` where it serves HTTP."""

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
        "RIPELINE_UI_URL": f"http://{local}:{ui_port}",
        **os.environ,
        "RIPELINE_API_URL": f"http://{local}:{api_port}",
        "RIPELINE_API_PORT": str(api_port),
    }
    # SIGINT too: shells start background jobs with it ignored.
    for stop in STOP_SIGNALS:
        signal.signal(stop, _interrupt)
    running: list[tuple[Service, subprocess.Popen[bytes]]] = []
    try:
        for service in services:
            # In a session of its own: Ctrl-C reaches only this launcher, which stops them in order.
            process = subprocess.Popen(
                service.command, cwd=PROJECT, env=environment, start_new_session=True
            )
            running.append((service, process))
        return _watch(host, running)
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)
        return 0
    finally:
        for stop in STOP_SIGNALS:
            signal.signal(stop, signal.SIG_IGN)
        _stop([process for _, process in running])


def _services(host: str, api_port: int, ui_port: int) -> list[Service]:
    api = (sys.executable, "-m", "api")
    ui = (
        *(sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"),
        *("--server.address", host, "--server.port", str(ui_port), "--server.headless", "true"),
        # The addresses are printed once all is ready.
        *("--logger.hideWelcomeMessage", "true"),
    )
    return [
        Service("API", api, Endpoint("RIPELINE_API_PORT", api_port, "/ready")),
        Service("app", ui, Endpoint("RIPELINE_UI_PORT", ui_port, "/_stcore/health")),
        Service("worker", (sys.executable, "-m", "api.worker")),
    ]


def _watch(host: str, running: Sequence[tuple[Service, "subprocess.Popen[bytes]"]]) -> int:
    """Announce the services once all are ready; return when one of them ends, which is an error."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    waiting = [(service.name, service.endpoint) for service, _ in running if service.endpoint]
    while True:
        for service, process in running:
            if process.poll() is not None:
                return _fail(
                    f"The {service.name} ended with status {process.returncode}; its messages are "
                    "above."
                )
        if waiting:
            waiting = [(name, place) for name, place in waiting if not _is_ready(host, place)]
            if not waiting:
                _announce(host, [service for service, _ in running])
            elif time.monotonic() > deadline:
                names = " and the ".join(name for name, _ in waiting)
                return _fail(f"The {names} did not answer in {READY_WITHIN_SECONDS} s.")
        time.sleep(0.2)


def _announce(host: str, services: Sequence[Service]) -> None:
    shown = "localhost" if _local_address(host) == "127.0.0.1" else host
    print("\nRipeline is ready.")
    for service in services:
        if service.endpoint:
            print(f"  {service.name:4} http://{shown}:{service.endpoint.port}")
    print("Ctrl-C stops it.", flush=True)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{variable}={text} is no port: give a number from 1 to 65535.")
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
                    f"Port {endpoint.port} on {host} is taken, so the {name} cannot start. "
                    "Stop what uses it, or choose another: "
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


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _fail(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
