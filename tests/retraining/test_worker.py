"""Worker processes, which start a separate process for each run. In one test the API is a third
process; in the others it is in this one.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.retraining import repository, service
from api.retraining.run_watcher import RunWatcher
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.models import RunRow
from tests.processes import running_api, running_worker, start_worker
from tests.retraining.catalog import NEW, add_photographs, picture, write_champion
from tests.synthetic_images import encode
from tests.waiting import ANSWER_SECONDS, BOUND_SECONDS, until

pytestmark = pytest.mark.slow

Api = httpx.Client | TestClient
OVER = ("succeeded", "failed", "cancelled", "interrupted")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_champion(tmp_path_factory.mktemp("models"))


@pytest.fixture
def environment(database: Database, package: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "RIPELINE_STATE_DIR": str(tmp_path / "state"),
        "RIPELINE_MODEL_DIR": str(package),
        "DATABASE_URL": database.url,
        "STORAGE_URL": str(tmp_path / "blobs"),
    }


@pytest.fixture
def api(
    environment: dict[str, str], package: Path, settings: Settings, tmp_path: Path
) -> Iterator[TestClient]:
    """The API in this process, on the worker's state."""
    update = {
        "state_dir": tmp_path / "state",
        "model_dir": package,
        "database_url": environment["DATABASE_URL"],
        "storage_url": environment["STORAGE_URL"],
    }
    app = create_app(settings.model_copy(update=update))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def wait_until_ended(api: Api, run_id: str) -> dict[str, Any]:
    def ended_run() -> dict[str, Any] | None:
        run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
        return run if run["state"] in OVER else None

    return until(ended_run)


def wait_until_running(api: Api, run_id: str) -> None:
    until(lambda: api.get(f"/runs/{run_id}").json()["state"] == "running")


@contextmanager
def held(blobs: Blobs) -> Iterator[None]:
    """A run waits for a photo, so it cannot end before the test has done something to it."""
    photo = next(Path(blobs.url).glob("photographs/*.png"))
    data = photo.read_bytes()
    photo.unlink()
    os.mkfifo(photo)
    try:
        yield
    finally:
        photo.unlink()
        photo.write_bytes(data)


def start_run(api: Api) -> str:
    response = api.post("/retrain", json={"force": True})
    assert response.status_code == 202, response.text
    run_id: str = response.json()["run_id"]
    return run_id


def test_new_class_is_learned_in_the_background_and_served(
    environment: dict[str, str], database: Database, blobs: Blobs
) -> None:
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS) as api,
        running_worker(environment),
    ):
        add_photographs(database, blobs, NEW, 60)
        response = api.post("/retrain")
        assert response.status_code == 202, response.text
        run = wait_until_ended(api, response.json()["run_id"])
        assert run["state"] == "succeeded", run["message"]
        assert run["verdict"]["promote"], run["verdict"]["reasons"]
        assert api.get("/models").json()["champion"] == run["candidate"] != "champion"
        body = {"file": encode(picture(NEW, 5000))}

        def served() -> dict[str, Any] | None:
            grade: dict[str, Any] = api.post("/predict", files=body).json()
            return grade if grade["model_version"] == run["candidate"] else None

        assert until(served)["predicted_class"] == NEW
        status = api.get("/retraining-status").json()
        assert (status["is_retraining"], status["progress"]) == (False, 100.0)
        assert api.post("/retrain").status_code == 409  # There are no more new photos.


@on_sqlite
def test_run_of_a_killed_worker_ends_and_the_next_worker_recovers(
    api: Api, environment: dict[str, str], database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 20)
    with running_worker(environment) as worker, held(blobs):
        run_id = start_run(api)
        wait_until_running(api, run_id)
        worker.kill()
        worker.communicate()  # Returns once the run's process has closed the pipe too.
    assert api.get("/models").json()["champion"] == "champion"
    with running_worker(environment):
        assert wait_until_ended(api, run_id)["state"] == "interrupted"
        assert wait_until_ended(api, start_run(api))["state"] == "succeeded"
    assert not list((Path(environment["RIPELINE_STATE_DIR"]) / "work").iterdir())


@on_sqlite
def test_stopped_worker_interrupts_its_run(
    api: Api, environment: dict[str, str], database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 20)
    with running_worker(environment) as worker, held(blobs):
        second = start_worker(environment)
        assert "is already running on" in second.communicate()[0]
        assert second.returncode == 1
        run_id = start_run(api)
        wait_until_running(api, run_id)
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=BOUND_SECONDS)
        assert worker.returncode == 0
    assert api.get(f"/runs/{run_id}").json()["state"] == "interrupted"


def test_run_with_a_lost_message_is_executed(
    api: Api, environment: dict[str, str], database: Database, blobs: Blobs
) -> None:
    add_photographs(database, blobs, NEW, 20)
    with database.session() as session:
        run = service.create_run(session, mode="fast", started_by="manual", options={})
    with running_worker(environment), held(blobs):
        wait_until_running(api, run.id)
        assert api.post(f"/runs/{run.id}/cancel").status_code == 202
        assert wait_until_ended(api, run.id)["state"] == "cancelled"


@on_sqlite
def test_second_worker_on_one_catalog_is_refused(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """Even with its own state folder: it would treat the first worker's run as lost."""
    with running_worker(environment):
        second = start_worker(environment | {"RIPELINE_STATE_DIR": str(tmp_path / "other")})
        assert "is already running on" in second.communicate()[0]
        assert second.returncode == 1


def test_sleep_and_wrong_clocks_do_not_end_a_run(
    api: Api, environment: dict[str, str], database: Database, blobs: Blobs
) -> None:
    """The run's process is paused, as in a sleep, and the machines' clocks disagree."""
    add_photographs(database, blobs, NEW, 20)
    seconds = [0.0]
    watcher = RunWatcher(database, clock=lambda: seconds[0])
    with running_worker(environment) as worker:
        run_id = start_run(api)
        # As written by another machine whose clock runs ahead.
        started_at = now() + timedelta(days=400)
        child = until(lambda: stop_during_run(database, run_id, worker.pid, started_at))
        try:
            for _ in range(3):
                before = heartbeat(database, run_id)
                until(lambda before=before: heartbeat(database, run_id) != before)  # type: ignore[misc]
                seconds[0] += 3600
                assert watcher.poll() == []
        finally:
            os.kill(child, signal.SIGCONT)
        assert wait_until_ended(api, run_id)["state"] == "succeeded"


def stop_during_run(database: Database, run_id: str, worker: int, started_at: datetime) -> int:
    """Pause the run's process, change its start time, and return its pid. Returns 0 if the run has
    not begun, or if its process holds a lock, which would keep everybody from writing.
    """
    child = run_process_of(worker)
    if not child:
        return 0
    os.kill(child, signal.SIGSTOP)
    running = select(RunRow).where(RunRow.id == run_id, RunRow.state == "running")
    with suppress(OperationalError), database.session() as session:
        for run in session.scalars(running.with_for_update(nowait=True)):
            run.started_at = started_at
            return child
    os.kill(child, signal.SIGCONT)
    return 0


def heartbeat(database: Database, run_id: str) -> datetime | None:
    with database.reading() as session:
        return repository.heartbeats(session)[run_id]


def run_process_of(worker: int) -> int:
    """The pid of the run's process; 0 if there is none. A fork of the worker that has not executed
    the run's program yet does not count: the worker waits for that without a heartbeat.
    """
    children = Path(f"/proc/{worker}/task").glob("*/children")
    for pid in [pid for path in children for pid in path.read_text().split()]:
        with suppress(FileNotFoundError, ProcessLookupError):
            if "api.retraining.run_process" in Path(f"/proc/{pid}/cmdline").read_text():
                return int(pid)
    return 0
