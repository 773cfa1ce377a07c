"""The API and the worker as processes that can be killed and started again on one state."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from api.settings import PROJECT
from tests.processes import free_port, service_environment
from tests.waiting import until


class Fleet:
    """Two processes on one state folder. What they say goes to files there."""

    def __init__(self, state: Path, settings: Mapping[str, str]) -> None:
        self._state = state
        self._port = free_port()
        self._environment = {**service_environment(str(state)), **settings}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, name: str) -> None:
        """Start the `api` or the `worker`; the API is ready when this returns."""
        commands = {
            "api": ["uvicorn", "api.app:app", "--port", str(self._port), "--no-access-log"],
            "worker": ["api.worker"],
        }
        with (self._state / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *commands[name]],
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        if name == "api":
            self._wait_until_ready()

    def kill(self, name: str) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        process = self._processes.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def said(self, name: str) -> str:
        return (self._state / f"{name}.log").read_text(errors="replace")

    def _wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self._processes["api"].poll() is None, self.said("api")
            try:
                return httpx.get(f"{self.url}/ready", timeout=2, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        until(ready)
