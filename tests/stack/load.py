"""The project's locustfile, running headless during a test."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.processes import Processes
from tests.waiting import BOUND_SECONDS, until

USERS = 12


@dataclass
class Load:
    """Locust's counts, available once the load has ended."""

    requests: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def loaded(processes: Processes, url: str, key: str) -> Iterator[Load]:
    """Run users who grade one image after another while the block runs."""
    load = Load()
    name = f"locust-{uuid4().hex[:8]}"
    # Written when Locust ends.
    report = processes.folder / f"{name}.json"
    locust = [
        *(sys.executable, "-m", "locust", "-f", "locustfile.py", "Predict", "ModelInfo"),
        *("--host", url, "--headless", "--only-summary"),
        *("-u", str(USERS), "-r", str(USERS), "-t", f"{BOUND_SECONDS:.0f}s"),
        *("--json-file", str(report.with_suffix(""))),
    ]
    processes.start(name, locust, {**os.environ, "RIPELINE_API_KEY": key})
    until(lambda: "All users spawned" in processes.log(name))
    try:
        yield load
    finally:
        processes.terminate(name)
    for one in json.loads(report.read_text()):
        load.requests += one["num_requests"]
        if one["num_failures"]:
            load.failures.append(one)
