"""`kill -9` of the API and of the worker at random instants, under load.

RIPELINE_CHAOS_INSTANTS says how many (`make chaos`: 50).
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.core.imaging.decode import decode
from api.registry.store import complete
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import ChampionRow, ImageRow
from tests.chaos.load import Load
from tests.fleet import Fleet
from tests.waiting import until

INSTANTS = int(os.environ.get("RIPELINE_CHAOS_INSTANTS", "4"))
SEED = 7
SETTLED_SECONDS = 300
MOST_ANSWERS = 120


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Overrides the shared settings: a state of its own, on each kind of database in turn."""
    return Settings(state_dir=tmp_path, database_url=database_url, storage_url="")


@pytest.fixture
def fleet(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, {"DATABASE_URL": settings.database_url})
    try:
        fleet.start("api")
        # The same picture graded again and again is drift, which would start runs by itself.
        set_off = httpx.put(f"{fleet.url}/triggers/drift", json={"enabled": False}, trust_env=False)
        assert set_off.is_success, set_off.text
        fleet.start("worker")
        yield fleet
    finally:
        fleet.stop()


def test_a_killed_process_loses_nothing(fleet: Fleet, settings: Settings) -> None:
    chance = random.Random(SEED)  # noqa: S311
    load = Load(fleet.url, SEED)
    killed = []
    for instant in range(INSTANTS):
        victim = ("api", "worker")[instant % 2]
        with load.running():
            load.wait_for(chance.randint(1, MOST_ANSWERS))
            fleet.kill(victim)
        fleet.start(victim)
        killed.append(victim)
        check(fleet, settings, load)
    assert load.unexpected == []
    assert load.acknowledged
    print(f"\n{len(killed)} kills, {len(load.acknowledged)} images acknowledged, {load.answers}")
    retrains_to_the_end(fleet)


def check(fleet: Fleet, settings: Settings, load: Load) -> None:
    """What must hold after every death."""
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

    with httpx.Client(base_url=fleet.url, timeout=30, trust_env=False) as client:
        models = client.get("/models").json()["models"]
        champions = [model["version"] for model in models if model["status"] == "champion"]
        assert len(champions) == 1
        for model in models:
            if model["status"] != "pruned":
                assert complete(blobs, model["version"]), model
        serves(client, champions[0])
        no_run_hangs(client)


def serves(client: httpx.Client, champion: str) -> None:
    """The one champion serves, as soon as the process has noticed it."""
    until(lambda: client.get("/model-info").json()["model_info"]["version"] == champion)


def no_run_hangs(client: httpx.Client) -> None:
    """Every run ends: done, or shown as interrupted."""

    def all_ended() -> list[dict[str, Any]] | None:
        runs: list[dict[str, Any]] = client.get("/runs").json()["runs"]
        return None if {"queued", "running"} & {run["state"] for run in runs} else runs

    runs = until(all_ended, seconds=SETTLED_SECONDS)
    other = [run for run in runs if run["state"] not in ("succeeded", "interrupted")]
    assert not other, other


def retrains_to_the_end(fleet: Fleet) -> None:
    """After all that, a run can be started and comes to its end."""
    with httpx.Client(base_url=fleet.url, timeout=30, trust_env=False) as client:
        answer = client.post("/retrain", json={"mode": "fast", "force": True})
        assert answer.status_code == 202, answer.text
        no_run_hangs(client)
        assert client.get(f"/runs/{answer.json()['run_id']}").json()["state"] == "succeeded"
