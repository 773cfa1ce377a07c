"""Notifications from two API processes and a worker, with one receiver that hangs."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.monitoring.webhook import PATH, running_webhook
from tests.processes import ApiAndWorker
from tests.retraining.catalog import NEW, add_photographs, write_champion
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow


def test_every_event_is_sent_once_and_no_receiver_delays_anything(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    database = Database(f"sqlite:///{state / 'catalog.db'}")
    with running_webhook() as webhook, running_webhook() as hanging:
        hanging.hangs = True
        settings = {
            "RIPELINE_MODEL_DIR": str(write_champion(tmp_path / "models")),
            "RIPELINE_NOTIFY": f"{hanging.url}, {webhook.url}",
            "RIPELINE_LOG_LEVEL": "debug",
            "WEB_CONCURRENCY": "2",
        }
        service = ApiAndWorker(state, settings)
        try:
            service.start("api")
            service.start("worker")
            add_photographs(database, Blobs(str(state / "blobs")), NEW, 20)
            with httpx.Client(base_url=service.url, trust_env=False, timeout=ANSWER_SECONDS) as api:
                started = api.post("/retrain", json={"force": True})
                assert started.status_code == 202, started.text
                run = until(lambda: _ended(api, started.json()["run_id"]))
                assert run["state"] == "succeeded", run["message"]
                until(lambda: webhook.titles)
                candidate = run["candidate"]
                steps = [f"{candidate}/promote", "rollback"]
                for step in reversed(steps) if run["verdict"]["promote"] else steps:
                    changed = api.post(f"/models/{step}")
                    assert changed.status_code == 200, changed.text
                until(lambda: len(webhook.titles) >= 3)
                until(lambda: "Receiver 1 (json) was not told of run:" in _logs(state))
                for path in ("/status", "/health", "/model-info", "/metrics", "/openapi.json"):
                    assert PATH not in api.get(path).text
        finally:
            service.stop()
    assert candidate in webhook.titles[0]
    assert sorted(webhook.titles[1:]) == [
        f"Ripeline: A person put a model in use: {candidate}",
        "Ripeline: Rolled back to champion",
    ]
    assert PATH not in _logs(state)
    database.close()


def _logs(folder: Path) -> str:
    return "".join(file.read_text() for file in folder.glob("*.log"))


def _ended(api: httpx.Client, run_id: str) -> dict[str, Any]:
    """The run if it is over, else nothing."""
    run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
    return run if run["finished_at"] else {}
