"""Latency of `/predict` during a full retraining run, compared with idle.

API and worker share both cores; the worker has a low priority. The run trains EfficientNet-Lite0 on
drawn images of two new classes.
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
from benchmarks.plan import Plan
from benchmarks.sample_images import SMALL, sample_image
from benchmarks.servers import DIRECT, OURS, Server, end, environment, running
from benchmarks.terminal import Show
from tests.synthetic_images import draw_fruit, encode

CLASSES = ("freshpears", "rottenpears")
KINDS = ("freshapples", "rottenapples")
EACH = 300  # Enough for training to outlast the measurement.
ASK = {
    "mode": "full",
    "classes": list(CLASSES),
    "architecture": "efficientnet_lite0",
    "force": True,
}
# Two users, below the server's capacity.
USERS, PAUSE = 2, 0.05
BEGIN_SECONDS = 900


@dataclass(frozen=True)
class RetrainingFigures:
    """p50 and p95 in milliseconds, idle and during training."""

    idle: tuple[float, float]
    busy: tuple[float, float]
    predictions: int
    ratio: float


def measure(plan: Plan, show: Show) -> RetrainingFigures:
    body = form(("orange.jpg", sample_image(SMALL)))
    with on(BOTH), running(OURS, cores=BOTH) as server, _worker(server):
        url = f"{server.url}/predict"
        _upload(server.url)
        # Grading the same image again and again is drift, which would trigger a run.
        _call(f"{server.url}/triggers/drift", {"enabled": False}, "PUT")
        drive(url, body, USERS, 1)
        show.say("Latency during a full retraining: first idle, then while it trains.")
        idle = drive(url, body, USERS, plan.retraining_seconds, pause=PAUSE)
        _call(f"{server.url}/retrain", {**ASK, "epochs": plan.retraining_epochs})
        _wait_until_it_trains(server.url)
        busy = drive(url, body, USERS, plan.retraining_seconds, pause=PAUSE)
        if not _call(f"{server.url}/retraining-status")["is_retraining"]:
            raise RuntimeError("The run ended during the measurement: increase EACH.")
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
    """Wait until fine-tuning has begun."""
    deadline = time.monotonic() + BEGIN_SECONDS
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
    """Send a GET, or a POST if there is a `body`, unless `method` says otherwise."""
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with DIRECT.open(request, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
        return found
