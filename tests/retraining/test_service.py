"""The life cycle of a run on both databases."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.retraining import repository, service
from api.retraining.service import RunActiveError, RunOverError, UnknownRunError
from api.settings import PROJECT
from api.storage.db import Database, now
from api.storage.tables.models import ModelRow, RunRow


def create_run(database: Database, **options: Any) -> str:
    with database.session() as session:
        return service.create_run(session, mode="fast", started_by="manual", options=options).id


def claim(database: Database, run_id: str) -> bool:
    with database.session() as session:
        return repository.claim(session, run_id)


def load_run(database: Database, run_id: str) -> RunRow:
    with database.reading() as session:
        return service.get(session, run_id)


def change(database: Database, run_id: str, **values: Any) -> None:
    with database.session() as session:
        for name, value in values.items():
            setattr(session.get_one(RunRow, run_id), name, value)


def seconds_ago(seconds: float = 60) -> Any:
    return now() - timedelta(seconds=seconds)


def test_run_is_queued_claimed_and_ended(database: Database) -> None:
    run_id = create_run(database, classes=["a", "b"])
    assert (load_run(database, run_id).state, load_run(database, run_id).options) == (
        "queued",
        {"classes": ["a", "b"]},
    )
    assert claim(database, run_id)
    run = load_run(database, run_id)
    assert run.state == "running"
    assert run.started_at is not None
    with database.session() as session:
        service.end(session.get_one(RunRow, run_id), "failed", "Nothing to learn from.")
    run = load_run(database, run_id)
    assert (run.state, run.active, run.message) == ("failed", None, "Nothing to learn from.")
    assert run.finished_at is not None


def test_only_one_worker_claims_a_run(database: Database) -> None:
    run_id = create_run(database)
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda _: claim(database, run_id), range(6)))
    assert sorted(claims) == [False] * 5 + [True]


def test_second_run_is_rejected_naming_the_first(database: Database) -> None:
    run_id = create_run(database)
    with pytest.raises(RunActiveError, match=run_id):
        create_run(database)
    claim(database, run_id)
    with pytest.raises(RunActiveError, match=run_id):
        create_run(database)
    with database.session() as session:
        service.end(session.get_one(RunRow, run_id), "succeeded", "Done.")
    assert create_run(database) != run_id


def test_only_one_of_many_concurrent_runs_is_created(database: Database) -> None:
    def attempt(_: int) -> str | None:
        try:
            return create_run(database)
        except RunActiveError:
            return None

    with ThreadPoolExecutor(8) as pool:
        started = [run_id for run_id in pool.map(attempt, range(24)) if run_id]
    assert len(started) == 1
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).all() == started


STARTER = """
import sys
from api.storage.db import Database
from api.retraining import service
from api.retraining.service import RunActiveError
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    with database.session() as session:
        service.create_run(session, mode="fast", started_by="manual", options={})
    print("started")
except RunActiveError:
    print("refused")
"""


@pytest.mark.slow
def test_only_one_of_many_processes_creates_a_run(database: Database, database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, database_url],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate()[0].strip() for process in processes]
    assert sorted(outputs) == ["refused", "refused", "started"]


def test_queued_run_is_cancelled_immediately(database: Database) -> None:
    run_id = create_run(database)
    with database.session() as session:
        assert service.cancel(session, run_id).state == "cancelled"
    assert not claim(database, run_id)
    with database.session() as session, pytest.raises(RunOverError, match="cancelled"):
        service.cancel(session, run_id)


def test_cancelling_a_running_run_requests_it_from_the_worker(database: Database) -> None:
    run_id = create_run(database)
    claim(database, run_id)
    with database.session() as session:
        service.cancel(session, run_id)
    run = load_run(database, run_id)
    assert run.state == "running"
    assert run.cancel_requested


@pytest.mark.parametrize("days", [400, -400])
def test_wrong_clock_does_not_change_the_order_of_runs(database: Database, days: int) -> None:
    """Of runs that began while the clock was ahead or behind, and after it was set right."""
    run_ids: list[str] = []
    for moment in (now(), now() + timedelta(days=days), now()):
        run_ids.insert(0, create_run(database))
        change(database, run_ids[0], created_at=moment, state="succeeded", active=None)
    with database.reading() as session:
        assert [run.id for run in repository.newest(session, 3)] == run_ids
        last = repository.last_succeeded(session, "fast")
    assert last is not None
    assert last.id == run_ids[0]


@pytest.mark.parametrize("run_id", ["f" * 32, "none", "a\x00b", ""])
def test_unknown_run_ids_are_rejected(database: Database, run_id: str) -> None:
    with database.session() as session, pytest.raises(UnknownRunError):
        service.cancel(session, run_id)


def test_status_of_an_unclaimed_run_says_how_to_start_a_worker(database: Database) -> None:
    run_id = create_run(database)
    assert "no worker" not in service.current_status(load_run(database, run_id))[1]
    change(database, run_id, created_at=seconds_ago())
    assert "python -m api.worker" in service.current_status(load_run(database, run_id))[1]


def test_unclaimed_run_says_so_although_the_clock_was_set_back(database: Database) -> None:
    run_id = create_run(database)
    change(database, run_id, created_at=seconds_ago(-7200))
    assert "python -m api.worker" in service.current_status(load_run(database, run_id))[1]


def reap(database: Database) -> list[str]:
    """Reap, like a watcher that has not seen a heartbeat for too long."""
    with database.reading() as session:
        heartbeats = repository.heartbeats(session)
    with database.session() as session:
        return service.reap(session, heartbeats)


def test_lost_runs_are_reaped(database: Database) -> None:
    run_id = create_run(database)
    assert reap(database) == []
    claim(database, run_id)
    assert reap(database) == [run_id]
    run = load_run(database, run_id)
    assert (run.state, run.active) == ("interrupted", None)
    assert "started again" in run.message
    # The run's process can no longer write.
    with database.session() as session:
        assert not repository.update_running(session, run_id, progress=50.0)
        assert not repository.update_running(session, run_id)
    assert load_run(database, create_run(database)).state == "queued"


def test_run_with_a_heartbeat_in_the_last_moment_is_not_reaped(database: Database) -> None:
    run_id = create_run(database)
    claim(database, run_id)
    with database.reading() as session:
        heartbeats = repository.heartbeats(session)
    with database.session() as session:
        repository.update_running(session, run_id)
    with database.session() as session:
        assert service.reap(session, heartbeats) == []
    assert load_run(database, run_id).state == "running"


@pytest.mark.parametrize("promote", [True, False])
def test_reaped_run_that_registered_its_model_has_succeeded(
    database: Database, promote: bool
) -> None:
    run_id = create_run(database)
    claim(database, run_id)
    verdict = {"promote": promote, "reasons": ["It is worse on mango."], "figures": {}}
    with database.session() as session:
        session.add(
            ModelRow(
                version="v2",
                origin="fast",
                started_by="manual",
                run_id=run_id,
                manifest={},
                verdict=verdict,
            )
        )
    reap(database)
    run = load_run(database, run_id)
    assert (run.state, run.candidate, run.progress) == ("succeeded", "v2", 100.0)
    assert run.verdict == verdict
    assert ("worse on mango" in run.message) is not promote
