"""Locust beside a test: the project's own locustfile, without its page, for a bounded time."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.fleet import Processes
from tests.waiting import until

USERS = 12
MOST_SECONDS = 150


@dataclass
class Load:
    """What Locust counted; complete once the load has ended."""

    requests: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def loaded(processes: Processes, url: str, key: str) -> Iterator[Load]:
    """Users who grade one photograph after another, for as long as the block runs."""
    load = Load()
    name = f"locust-{uuid4().hex[:8]}"
    # It writes them as `<prefix>_stats.csv` and so on, and this as a whole when it ends.
    written = processes.folder / f"{name}.json"
    locust = [
        *(sys.executable, "-m", "locust", "-f", "locustfile.py", "Predict", "ModelInfo"),
        *("--host", url, "--headless", "--only-summary"),
        *("-u", str(USERS), "-r", str(USERS), "-t", f"{MOST_SECONDS}s"),
        *("--json-file", str(written.with_suffix(""))),
    ]
    processes.start(name, locust, {**os.environ, "RIPELINE_API_KEY": key})
    until(lambda: "All users spawned" in processes.said(name))
    try:
        yield load
    finally:
        processes.end(name)
    for one in json.loads(written.read_text()):
        load.requests += one["num_requests"]
        if one["num_failures"]:
            load.failures.append(one)
