"""A real API process, as its own start command makes it, and what it says and takes."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from api.settings import PROJECT
from tests.processes import free_port, service_environment
from tests.waiting import until

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Served:
    """A running service."""

    url: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def resident_mb(self) -> float:
        """Memory in use, in MB of 2**20 bytes. Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def answers(self) -> bool:
        """Whether it is ready. Raises AssertionError where the process has ended."""
        assert self.process.poll() is None, self.said()
        try:
            return httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def serving(settings: Mapping[str, str] = NO_SETTINGS) -> Iterator[Served]:
    """`python -m api` on a free port, with `settings` in its environment, ready to be used."""
    port, state = free_port(), Path(tempfile.mkdtemp(prefix="ripeline-state-"))
    log = state / "api.log"
    environment = {
        **service_environment(str(state)),
        "RIPELINE_API_PORT": str(port),
        **settings,
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"],
            cwd=PROJECT,
            env=environment,
            stdout=stream,
            stderr=stream,
        )
    served = Served(f"http://127.0.0.1:{port}", port, process, log)
    try:
        until(served.answers, seconds=60)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(state, ignore_errors=True)
