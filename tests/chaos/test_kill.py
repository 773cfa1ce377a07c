"""`kill -9` of the API and the worker at random moments, under load.

RIPELINE_CHAOS_INSTANTS is the number of kills (`make chaos`: 50).
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.core.imaging.decode import decode
from api.registry.store import is_stored
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import ChampionRow
from api.storage.tables.photos import ImageRow
from tests.chaos.load import Load
from tests.processes import ApiAndWorker
from tests.small_grader import write_small_grader
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("RIPELINE_CHAOS_INSTANTS", "4"))
SEED = 7
MAX_ANSWERS = 120  # Responses between two kills.


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Overrides the shared settings: a fresh state folder on each kind of database."""
    return Settings(state_dir=tmp_path, database_url=database_url, storage_url="")


@pytest.fixture
def running(
    settings: Settings, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiAndWorker]:
    environment = {
        "DATABASE_URL": settings.database_url,
        # Nothing here looks at a grade, and the shipped grader would take twice the time.
        "RIPELINE_MODEL_DIR": str(write_small_grader(tmp_path_factory.mktemp("models") / "small")),
    }
    running = ApiAndWorker(tmp_path, environment)
    try:
        running.start("api")
        # Grading the same image again and again is drift, which would trigger runs.
        url = f"{running.url}/triggers/drift"
        httpx.put(
            url, json={"enabled": False}, timeout=ANSWER_SECONDS, trust_env=False
        ).raise_for_status()
        running.start("worker")
        yield running
    finally:
        running.stop()


def test_killed_processes_lose_no_acknowledged_data(
    running: ApiAndWorker, settings: Settings
) -> None:
    rng = random.Random(SEED)  # noqa: S311
    load = Load(running.url, SEED)
    for number in range(KILLS):
        victim = ("api", "worker")[number % 2]
        with load.running():
            load.wait_for(rng.randint(1, MAX_ANSWERS))
            running.kill(victim)
        running.start(victim)
        check_invariants(running, settings, load)
    assert load.unexpected == []
    assert load.acknowledged
    print(f"\n{KILLS} kills, {len(load.acknowledged)} images acknowledged, {load.answers}")
    check_new_run_succeeds(running)


def check_invariants(running: ApiAndWorker, settings: Settings, load: Load) -> None:
    """Check the invariants that must hold after every kill."""
    database, blobs = Database(settings.database), Blobs(settings.storage)
    try:
        with database.reading() as session:
            stored = {row.id: row.blob for row in session.query(ImageRow)}
            assert session.query(ChampionRow).count() == 1
    finally:
        database.close()
    assert load.acknowledged <= stored.keys()
    for image in load.acknowledged:
        decode(blobs.get(stored[image]))

    with httpx.Client(base_url=running.url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        models = client.get("/models").json()["models"]
        champions = [model["version"] for model in models if model["status"] == "champion"]
        assert len(champions) == 1
        for model in models:
            if model["status"] != "pruned":
                assert is_stored(blobs, model["version"]), model
        wait_until_served(client, champions[0])
        wait_for_all_runs(client)


def wait_until_served(client: httpx.Client, champion: str) -> None:
    """Wait until the API serves the champion."""
    until(lambda: client.get("/model-info").json()["model_info"]["version"] == champion)


def wait_for_all_runs(client: httpx.Client) -> None:
    """Wait until every run has ended, as succeeded or interrupted."""

    def all_ended() -> list[dict[str, Any]] | None:
        runs: list[dict[str, Any]] = client.get("/runs").json()["runs"]
        return None if {"queued", "running"} & {run["state"] for run in runs} else runs

    runs = until(all_ended)
    unexpected = [run for run in runs if run["state"] not in ("succeeded", "interrupted")]
    assert not unexpected, unexpected


def check_new_run_succeeds(running: ApiAndWorker) -> None:
    """Start a new run, which must succeed."""
    with httpx.Client(base_url=running.url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        answer = client.post("/retrain", json={"mode": "fast", "force": True})
        assert answer.status_code == 202, answer.text
        wait_for_all_runs(client)
        assert client.get(f"/runs/{answer.json()['run_id']}").json()["state"] == "succeeded"
