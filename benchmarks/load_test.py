"""Locust on this service and on the Keras baseline, and a flood of users on this service."""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.settings import PROJECT
from benchmarks.machine import LOAD, on
from benchmarks.plan import Plan
from benchmarks.servers import KERAS_BASELINE, OURS, Contender, environment, running
from benchmarks.terminal import Show

# User classes of locustfile.py: for both servers, and for this service only.
COMMON = ("Predict", "Health", "ModelInfo")
ALL = (*COMMON, "Batch", "Instances", "Upload")
TOGETHER = "Aggregated"


@dataclass(frozen=True)
class LoadTestRow:
    """An endpoint in a scenario; times in milliseconds."""

    scenario: str
    users: str
    endpoint: str
    requests: int
    failed: int
    median: float
    p95: float
    p99: float
    longest: float
    per_second: float

    @property
    def success(self) -> float:
        """Share of requests that succeeded, 0 to 1."""
        return 1 - self.failed / self.requests if self.requests else 0.0


def measure(plan: Plan, show: Show) -> list[LoadTestRow]:
    runs: list[tuple[Contender, Sequence[str], int]] = [
        *((OURS, COMMON, users) for users in plan.users),
        *((KERAS_BASELINE, COMMON, users) for users in plan.users),
        (OURS, ALL, plan.users[-1]),
    ]
    rows: list[LoadTestRow] = []
    for contender, kinds, users in show.over(runs, "Locust"):
        load = ("-u", str(users), "-r", str(users), "-t", f"{plan.locust_seconds}s")
        name = contender.name if kinds == COMMON else f"{contender.name}, all kinds"
        rows += _rows(contender, name, str(users), [*load, *kinds], {})
    show.say("A flood of up to 800 users.")
    flood = {"RIPELINE_FLOOD": "1", "RIPELINE_FLOOD_SECONDS": str(plan.flood_seconds)}
    return [*rows, *_rows(OURS, f"{OURS.name}, flood", "10-800", list(COMMON), flood)]


def _rows(
    contender: Contender, scenario: str, users: str, arguments: list[str], settings: dict[str, str]
) -> list[LoadTestRow]:
    """Run Locust against a fresh server, each on its own core."""
    with tempfile.TemporaryDirectory() as folder, running(contender) as server, on(LOAD):
        prefix = Path(folder) / "locust"
        command = [
            *(sys.executable, "-m", "locust", "--headless", "--host", server.url),
            *("--csv", str(prefix), "--only-summary", "--loglevel", "ERROR"),
            *("--exit-code-on-error", "0", *arguments),
        ]
        subprocess.run(
            command,
            cwd=PROJECT,
            env=environment(server.state, settings),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with Path(f"{prefix}_stats.csv").open(newline="") as stream:
            return [_row(scenario, users, line) for line in csv.DictReader(stream)]


def _row(scenario: str, users: str, line: dict[str, str]) -> LoadTestRow:
    return LoadTestRow(
        scenario=scenario,
        users=users,
        endpoint=line["Name"],
        requests=int(line["Request Count"]),
        failed=int(line["Failure Count"]),
        median=_milliseconds(line["50%"]),
        p95=_milliseconds(line["95%"]),
        p99=_milliseconds(line["99%"]),
        longest=_milliseconds(line["Max Response Time"]),
        per_second=float(line["Requests/s"]),
    )


def _milliseconds(text: str) -> float:
    return float(text) if text != "N/A" else float("nan")
