"""Processes that can be killed and started again; what they say goes to files."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from api.settings import PROJECT
from tests.processes import free_port, service_environment
from tests.waiting import until

STOP_SECONDS = 30
# On loopback, at the port that RIPELINE_API_PORT names.
API = [sys.executable, "-m", "api"]
WORKER = [sys.executable, "-m", "api.worker"]


class Processes:
    """Processes by name, with their logs in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # How often each was started; its log goes on where it ended.
        self.starts: Counter[str] = Counter()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it from the project's folder. Without `environment` it gets this process's."""
        self.starts[name] += 1
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=log, stderr=log
            )

    def runs(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def kill(self, name: str) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        process = self._processes.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def end(self, name: str) -> None:
        """SIGTERM, and wait until it has ended."""
        process = self._processes.pop(name)
        process.terminate()
        _wait(process)

    def stop(self) -> None:
        """End all at once."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            _wait(process)
        self._processes.clear()

    def said(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def wait_until_it_answers(self, name: str, url: str) -> None:
        """Wait for a 2xx at `url`, which the process `name` serves."""

        def answers() -> bool:
            assert self._processes[name].poll() is None, self.said(name)
            try:
                return httpx.get(url, timeout=2, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        until(answers)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


class Fleet:
    """The API and the worker on one state folder."""

    def __init__(self, state: Path, settings: Mapping[str, str]) -> None:
        self._port = free_port()
        where = {"RIPELINE_API_PORT": str(self._port)}
        self._environment = {**service_environment(str(state)), **where, **settings}
        self._processes = Processes(state)
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, name: str) -> None:
        """Start the `api` or the `worker`; the API is ready when this returns."""
        commands = {"api": API, "worker": WORKER}
        self._processes.start(name, commands[name], self._environment)
        if name == "api":
            self._processes.wait_until_it_answers("api", f"{self.url}/ready")

    def kill(self, name: str) -> None:
        self._processes.kill(name)

    def stop(self) -> None:
        self._processes.stop()

    def said(self, name: str) -> str:
        return self._processes.said(name)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
