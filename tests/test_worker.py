"""What the worker does beside runs: it looks at the triggers."""

from pathlib import Path

import httpx

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.processes import running_api, running_worker
from tests.retraining.catalog import NEW, add_photographs, write_champion
from tests.waiting import until


def test_a_trigger_starts_a_run_by_itself(tmp_path: Path) -> None:
    environment = {
        "RIPELINE_STATE_DIR": str(tmp_path / "state"),
        "RIPELINE_MODEL_DIR": str(write_champion(tmp_path / "models")),
    }
    database = Database(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}")
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as api,
    ):
        add_photographs(database, Blobs(str(tmp_path / "state" / "blobs")), NEW, 20)
        set_low = api.put("/triggers/new-images", json={"enabled": True, "threshold": 10})
        assert set_low.status_code == 200, set_low.text
        with running_worker(environment):
            runs = until(lambda: api.get("/runs").json()["runs"])
    assert runs[0]["started_by"] == "trigger:new-images"
    database.close()
