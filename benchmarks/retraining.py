"""Latency of `/predict` while a full retraining runs, against idle.

API and worker run as they are deployed on one machine: both may use both cores, and the worker is
nice. The run trains EfficientNet-Lite0 from the start on a small drawn set of its own classes.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.settings import PROJECT
from benchmarks.load import drive, form
from benchmarks.machine import BOTH, on
from benchmarks.pictures import SMALL, photograph
from benchmarks.plan import Plan
from benchmarks.servers import DIRECT, OURS, Server, end, environment, running
from benchmarks.terminal import Show
from tests.drawing import draw_fruit, encode

CLASSES = ("freshpears", "rottenpears")
KINDS = ("freshapples", "rottenapples")
EACH = 300  # So many that it trains for longer than is measured.
ASK = {
    "mode": "full",
    "classes": list(CLASSES),
    "architecture": "efficientnet_lite0",
    "force": True,
}
# Photographs come one after another from two people, and not as fast as they can be graded.
USERS, PAUSE = 2, 0.05
BEGINS_WITHIN = 900


@dataclass(frozen=True)
class RetrainingFigures:
    """p50 and p95 in milliseconds, idle and while it trains."""

    idle: tuple[float, float]
    busy: tuple[float, float]
    predictions: int
    ratio: float


def measure(plan: Plan, show: Show) -> RetrainingFigures:
    body = form(("orange.jpg", photograph(SMALL)))
    with on(BOTH), running(OURS, cores=BOTH) as server, _worker(server):
        url = f"{server.url}/predict"
        _upload(server.url)
        # The same picture graded again and again is drift, which would start a run by itself.
        _call(f"{server.url}/triggers/drift", {"enabled": False}, "PUT")
        drive(url, body, USERS, 1)
        show.say("Latency beside a full retraining: idle first, then while it trains.")
        idle = drive(url, body, USERS, plan.retraining_seconds, pause=PAUSE)
        _call(f"{server.url}/retrain", {**ASK, "epochs": plan.retraining_epochs})
        _wait_until_it_trains(server.url)
        busy = drive(url, body, USERS, plan.retraining_seconds, pause=PAUSE)
        if not _call(f"{server.url}/retraining-status")["is_retraining"]:
            raise RuntimeError("The run ended before the measuring: give it more photographs.")
    found = [(one.percentile(0.5), one.percentile(0.95)) for one in (idle, busy)]
    count = len(idle.milliseconds) + len(busy.milliseconds)
    return RetrainingFigures(found[0], found[1], count, found[1][1] / found[0][1])


@contextmanager
def _worker(server: Server) -> Iterator[None]:
    with (server.state / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.worker"],
            cwd=PROJECT,
            env=environment(server.state, {}),
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        end(process)


def _upload(url: str) -> None:
    for class_name, kind in zip(CLASSES, KINDS, strict=True):
        files = [
            (f"{seed}.jpg", encode(draw_fruit(kind, seed, 160), "JPEG")) for seed in range(EACH)
        ]
        sent = form(*files, field="files", text={"class_name": class_name})
        request = urllib.request.Request(
            f"{url}/upload-training-data", sent.data, {"Content-Type": sent.content_type}
        )
        with DIRECT.open(request, timeout=120) as answer:
            answer.read()


def _wait_until_it_trains(url: str) -> None:
    """Until the first step of the network is behind it: building it is not what lasts."""
    deadline = time.monotonic() + BEGINS_WITHIN
    while time.monotonic() < deadline:
        status = _call(f"{url}/retraining-status")
        if not status["is_retraining"] and status.get("verdict") is None and status["progress"]:
            raise RuntimeError(f"The run failed: {status['message']}")
        if status["stage"] == "Fine-tuning":
            return
        time.sleep(0.5)
    raise RuntimeError(f"It does not train: {status}")


def _call(
    url: str, body: dict[str, object] | None = None, method: str | None = None
) -> dict[str, object]:
    """With a body it is a POST, unless `method` says otherwise."""
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with DIRECT.open(request, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
        return found
