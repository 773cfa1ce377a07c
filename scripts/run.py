"""`make run`: start the API and the app, wait until both answer, stop both on Ctrl-C.

Ports and host come from RIPELINE_API_PORT, RIPELINE_UI_PORT and RIPELINE_HOST.
"""

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


@dataclass(frozen=True)
class Service:
    """One process to run: `ready_path` answers 200 once it can be used."""

    name: str
    port_variable: str
    port: int
    command: Sequence[str]
    ready_path: str


def main() -> int:
    host = os.environ.get("RIPELINE_HOST", "127.0.0.1")
    try:
        api_port, ui_port = _port("RIPELINE_API_PORT", 8000), _port("RIPELINE_UI_PORT", 8501)
    except ValueError as error:
        return _fail(str(error))
    services = _services(host, api_port, ui_port)
    for service in services:
        if not _free(host, service.port):
            return _fail(
                f"Port {service.port} on {host} is taken, so the {service.name} cannot start. "
                f"Stop what uses it, or choose another: {service.port_variable}=<port> make run"
            )
    environment = {
        **os.environ,
        "RIPELINE_API_URL": f"http://{host}:{api_port}",
        "RIPELINE_UI_URL": f"http://{host}:{ui_port}",
    }
    # Set both: a shell starts background jobs with SIGINT ignored.
    for stop in (signal.SIGINT, signal.SIGTERM):
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
        _stop([process for _, process in running])


def _services(host: str, api_port: int, ui_port: int) -> list[Service]:
    api = (sys.executable, "-m", "uvicorn", "api.app:app", "--host", host, "--port", str(api_port))
    ui = (
        *(sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"),
        *("--server.address", host, "--server.port", str(ui_port), "--server.headless", "true"),
    )
    return [
        Service("API", "RIPELINE_API_PORT", api_port, api, "/ready"),
        Service("app", "RIPELINE_UI_PORT", ui_port, ui, "/_stcore/health"),
    ]


def _watch(host: str, running: Sequence[tuple[Service, "subprocess.Popen[bytes]"]]) -> int:
    """Announce the services once all are ready, then wait for one to end, which none should."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    waiting = [service for service, _ in running]
    while True:
        for service, process in running:
            if process.poll() is not None:
                return _fail(f"The {service.name} ended with status {process.returncode}.")
        if waiting:
            waiting = [service for service in waiting if not _ready(host, service)]
            if not waiting:
                _announce(host, [service for service, _ in running])
            elif time.monotonic() > deadline:
                names = " and the ".join(service.name for service in waiting)
                return _fail(f"The {names} did not answer in {READY_WITHIN_SECONDS} s.")
        time.sleep(0.2)


def _announce(host: str, services: Sequence[Service]) -> None:
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104
    print("\nRipeline is ready.")
    for service in services:
        print(f"  {service.name:4} http://{shown}:{service.port}")
    print("Ctrl-C stops it.", flush=True)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{variable}={text} is no port: give a number from 1 to 65535.")
    return int(text)


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _ready(host: str, service: Service) -> bool:
    address = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    url = f"http://{address}:{service.port}{service.ready_path}"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
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
