"""The worker process: triggers start runs, and log lines have the request id."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.processes import running_api, running_worker
from tests.retraining.catalog import NEW, add_photographs, write_champion
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "RIPELINE_STATE_DIR": str(tmp_path / "state"),
        "RIPELINE_MODEL_DIR": str(write_champion(tmp_path / "models")),
        "RIPELINE_LOG_FORMAT": "json",
    }


def test_trigger_starts_a_run(environment: dict[str, str], tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}")
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS) as api,
    ):
        add_photographs(database, Blobs(str(tmp_path / "state" / "blobs")), NEW, 20)
        response = api.put("/triggers/new-images", json={"mode": "start", "threshold": 10})
        assert response.status_code == 200, response.text
        with running_worker(environment):
            runs = until(lambda: api.get("/runs").json()["runs"])
    assert runs[0]["started_by"] == "trigger:new-images"
    database.close()


def test_trigger_asks_first_and_a_person_starts_the_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}")
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS) as api,
    ):
        add_photographs(database, Blobs(str(tmp_path / "state" / "blobs")), NEW, 20)
        assert api.put("/triggers/new-images", json={"threshold": 10}).json()["mode"] == "suggest"
        with running_worker(environment):
            [asked] = until(lambda: api.get("/suggestions").json()["suggestions"])
            assert (asked["trigger"], asked["value"], asked["unit"]) == ("new-images", 20, "images")
            listed = {one["name"]: one for one in api.get("/triggers").json()["triggers"]}
            assert listed["new-images"]["suggestion"] == asked
            assert api.get("/runs").json()["runs"] == []
            accept = f"/suggestions/{asked['suggestion_id']}/accept"
            started = api.post(accept)
            assert started.status_code == 202, started.text
            run_id = started.json()["run_id"]
            assert api.get("/suggestions").json()["suggestions"] == []
            again = api.post(accept)
            assert (again.status_code, again.json()["code"]) == (409, "suggestion-over")
            run = until(lambda: _ended(api, run_id))
    assert run["started_by"] == "suggestion:new-images"
    assert run["state"] == "succeeded", run["message"]
    database.close()


def _ended(api: httpx.Client, run_id: str) -> dict[str, Any]:
    """The run if it is over, else nothing."""
    run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
    return run if run["finished_at"] else {}


def test_log_lines_of_a_run_have_the_id_of_its_request(
    environment: dict[str, str],
) -> None:
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS) as api,
    ):
        started = api.post("/retrain", json={"force": True}, headers={"X-Request-ID": "monday-7"})
        assert started.status_code == 202, started.text
        run_id = started.json()["run_id"]
        lines = []
        # Only the message has the id, and a worker starts a run whose message is late without it.
        with running_worker(environment) as worker:
            assert worker.stdout is not None
            for text in worker.stdout:
                lines.append(json.loads(text))
                message = lines[-1]["message"]
                if message.startswith(f"Run {run_id}") and not message.endswith("begins."):
                    break  # The run's last line, from its own process or the worker.
    of_run = [line for line in lines if line.get("run_id") == run_id]
    assert {line["request_id"] for line in of_run} == {"monday-7"}
    assert [of_run[0]["logger"], of_run[-1]["logger"]] == [
        "api.retraining.supervisor",
        "api.retraining.registration",
    ]
