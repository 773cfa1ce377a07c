"""A real API process, its log and its memory."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from api.settings import PROJECT
from tests.processes import API, free_port, service_environment
from tests.waiting import until

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Served:
    """A running service."""

    url: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def resident_mib(self) -> float:
        """Resident memory in MiB. Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024

    def answers(self) -> bool:
        """Whether it is ready. Raises AssertionError if the process has ended."""
        assert self.process.poll() is None, self.log_text()
        try:
            return httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def serving(settings: Mapping[str, str] = NO_SETTINGS) -> Iterator[Served]:
    """`python -m api` on a free port, ready, with `settings` in its environment."""
    port, state = free_port(), Path(tempfile.mkdtemp(prefix="ripeline-state-"))
    log = state / "api.log"
    environment = {
        **service_environment(str(state)),
        "RIPELINE_API_PORT": str(port),
        **settings,
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(
            API,
            cwd=PROJECT,
            env=environment,
            stdout=stream,
            stderr=stream,
        )
    served = Served(f"http://127.0.0.1:{port}", port, process, log)
    try:
        until(served.answers)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(state, ignore_errors=True)
