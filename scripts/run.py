"""`make run`: start API, app and worker, wait until they can be used, stop them on Ctrl-C.

Ports and host come from RIPELINE_API_PORT, RIPELINE_UI_PORT and RIPELINE_HOST. Where the API has
keys, the app wants one that may change things in RIPELINE_API_KEY.
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
# A proxy that is set for the internet has no say on this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Listens:
    """Where a service answers: `ready_path` gives 200 once it can be used."""

    port_variable: str
    port: int
    ready_path: str


@dataclass(frozen=True)
class Service:
    """One process to run; `listens` where it answers HTTP."""

    name: str
    command: Sequence[str]
    listens: Listens | None = None


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
        if service.listens and (obstacle := _obstacle(host, service.name, service.listens)):
            return _fail(obstacle)
    reached = _reached(host)
    environment = {
        "RIPELINE_UI_URL": f"http://{reached}:{ui_port}",
        **os.environ,
        "RIPELINE_API_URL": f"http://{reached}:{api_port}",
        "RIPELINE_API_PORT": str(api_port),
    }
    # SIGINT too: a shell starts background jobs with it ignored. SIGHUP: the terminal was closed.
    for stop in STOP_SIGNALS:
        signal.signal(stop, _interrupt)
    running: list[tuple[Service, subprocess.Popen[bytes]]] = []
    try:
        for service in services:
            # A session of its own: Ctrl-C reaches this launcher alone, which stops them in order.
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
    )
    return [
        Service("API", api, Listens("RIPELINE_API_PORT", api_port, "/ready")),
        Service("app", ui, Listens("RIPELINE_UI_PORT", ui_port, "/_stcore/health")),
        Service("worker", (sys.executable, "-m", "api.worker")),
    ]


def _watch(host: str, running: Sequence[tuple[Service, "subprocess.Popen[bytes]"]]) -> int:
    """Announce the services once all are ready, then wait for one to end, which none should."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    waiting = [(service.name, service.listens) for service, _ in running if service.listens]
    while True:
        for service, process in running:
            if process.poll() is not None:
                return _fail(
                    f"The {service.name} ended with status {process.returncode}; "
                    "what it said of that stands above."
                )
        if waiting:
            waiting = [(name, place) for name, place in waiting if not _ready(host, place)]
            if not waiting:
                _announce(host, [service for service, _ in running])
            elif time.monotonic() > deadline:
                names = " and the ".join(name for name, _ in waiting)
                return _fail(f"The {names} did not answer in {READY_WITHIN_SECONDS} s.")
        time.sleep(0.2)


def _announce(host: str, services: Sequence[Service]) -> None:
    shown = "localhost" if _reached(host) == "127.0.0.1" else host
    print("\nRipeline is ready.")
    for service in services:
        if service.listens:
            print(f"  {service.name:4} http://{shown}:{service.listens.port}")
    print("Ctrl-C stops it.", flush=True)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{variable}={text} is no port: give a number from 1 to 65535.")
    return int(text)


def _obstacle(host: str, name: str, place: Listens) -> str:
    """Why the service cannot listen, with the way out; empty if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, place.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"Port {place.port} on {host} is taken, so the {name} cannot start. "
                    "Stop what uses it, or choose another: "
                    f"{place.port_variable}=<port> make run"
                )
            return (
                f"The {name} cannot listen on {host}, port {place.port}: "
                f"{error.strerror}. RIPELINE_HOST must be an IPv4 address of this machine."
            )
    return ""


def _reached(host: str) -> str:
    """The address under which this machine itself reaches `host`."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


def _ready(host: str, place: Listens) -> bool:
    url = f"http://{_reached(host)}:{place.port}{place.ready_path}"
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
