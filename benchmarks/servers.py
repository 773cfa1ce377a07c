"""The servers under test, each in its own process with its own state folder."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from api.settings import PROJECT
from benchmarks.machine import SERVER, on
from tests.processes import free_port

BENCH = PROJECT / ".venv-bench" / "bin"
START_SECONDS = 120
END_SECONDS = 40
# Ignores proxy settings.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Contender:
    """A server; `{port}` in its command is the port, `ready` the path of its health check."""

    name: str
    command: Sequence[str]
    ready: str


OURS = Contender("Ripeline", (sys.executable, "-m", "api"), "/ready")
KERAS_BASELINE = Contender(
    "FastAPI + keras.Model.predict",
    (
        *(
            sys.executable,
            "-m",
            "uvicorn",
            "benchmarks.peers.keras_baseline:app",
            "--port",
            "{port}",
        ),
        "--no-access-log",
    ),
    "/health",
)
LITSERVE = Contender(
    "LitServe", (str(BENCH / "python"), "-m", "benchmarks.peers.lit", "{port}"), "/health"
)
BENTOML = Contender(
    "BentoML",
    (
        *(str(BENCH / "bentoml"), "serve", "benchmarks.peers.bento:Grader"),
        *("--host", "127.0.0.1", "--port", "{port}"),
    ),
    "/readyz",
)


@dataclass(frozen=True)
class Server:
    """A running contender; `log` is its output."""

    process: "subprocess.Popen[bytes]"
    url: str
    state: Path
    log: Path
    started_at: float

    @property
    def resident_mb(self) -> float:
        """Resident memory of all its processes, in 10^6 bytes."""
        return float(sum(one.memory_info().rss for one in self._all()) / 1e6)

    @property
    def cpu_seconds(self) -> float:
        return float(sum(sum(one.cpu_times()[:2]) for one in self._all()))

    def _all(self) -> list[psutil.Process]:
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]


@contextmanager
def running(
    contender: Contender,
    cores: list[int] | None = None,
    settings: dict[str, str] | None = None,
    state: Path | None = None,
) -> Iterator[Server]:
    """Start the server on `cores` (by default SERVER), and yield it once it is ready."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ripeline-bench-") as folder:
        home = state or Path(folder)
        log = Path(folder) / "log"
        started = time.monotonic()
        with log.open("wb") as output, on(cores or SERVER):
            process = subprocess.Popen(
                [part.format(port=port) for part in contender.command],
                cwd=PROJECT,
                env=environment(home, {"PORT": str(port), **(settings or {})}),
                stdout=output,
                stderr=output,
            )
        server = Server(process, f"http://127.0.0.1:{port}", home, log, started)
        try:
            wait_until_ready(server, contender)
            yield server
        finally:
            end(process)


def wait_until_ready(server: Server, contender: Contender) -> None:
    while not answers(server.url + contender.ready):
        late = time.monotonic() > server.started_at + START_SECONDS
        if late or server.process.poll() is not None:
            raise RuntimeError(f"{contender.name} does not start:\n{server.log.read_text()}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def end(process: "subprocess.Popen[bytes]") -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for left in family:  # Some frameworks leave child processes behind.
        if left.is_running():
            left.kill()


def environment(state: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _CATALOG}
    return {
        **kept,
        "PYTHONPATH": str(PROJECT),
        "RIPELINE_STATE_DIR": str(state),
        "BENTOML_HOME": str(state / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "1",
        **settings,
    }


_CATALOG = {"DATABASE_URL", "STORAGE_URL"}
