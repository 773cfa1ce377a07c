"""Which runs have lost their worker, judged by heartbeats and never by a wall clock."""

from contextlib import suppress
from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from api.retraining import repository, service
from api.retraining.run_watcher import LOST_SECONDS, MAX_STEP_SECONDS, POLL_SECONDS, RunWatcher
from api.storage.db import Database, now

ENOUGH = int(LOST_SECONDS / POLL_SECONDS) + 1


class Clock:
    """Monotonic seconds that the test advances."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run_id(database: Database) -> str:
    """A running run."""
    with database.session() as session:
        run = service.create_run(session, mode="fast", started_by="manual", options={})
        repository.claim(session, run.id)
        return run.id


def poll(watcher: RunWatcher, clock: Clock, times: int, seconds: float = POLL_SECONDS) -> list[str]:
    lost = []
    for _ in range(times):
        clock.seconds += seconds
        lost += watcher.poll()
    return lost


def beat(database: Database, run_id: str) -> None:
    with database.session() as session:
        assert repository.update_running(session, run_id)


def state(database: Database, run_id: str) -> str:
    with database.reading() as session:
        return service.get(session, run_id).state


def test_run_without_heartbeats_is_lost(database: Database, run_id: str, clock: Clock) -> None:
    watcher = RunWatcher(database, clock=clock)
    assert poll(watcher, clock, ENOUGH - 1) == []
    assert state(database, run_id) == "running"
    assert poll(watcher, clock, 1) == [run_id]
    assert state(database, run_id) == "interrupted"
    assert poll(watcher, clock, ENOUGH) == []


@pytest.mark.parametrize("hours", [0, -9000, 9000])
def test_run_with_heartbeats_is_not_lost(
    database: Database, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Whatever the worker's wall clock says or is set to."""
    watcher = RunWatcher(database, clock=clock)
    for k in range(4):
        assert poll(watcher, clock, ENOUGH - 2) == []
        wrong = now() + timedelta(hours=k * hours)
        monkeypatch.setattr(repository, "now", lambda wrong=wrong: wrong)
        beat(database, run_id)
    assert state(database, run_id) == "running"


def test_own_run_is_never_lost(database: Database, run_id: str, clock: Clock) -> None:
    own = {run_id}
    watcher = RunWatcher(database, own, clock)
    assert poll(watcher, clock, 5 * ENOUGH) == []
    own.clear()  # As if its supervisor had failed.
    assert poll(watcher, clock, ENOUGH) == [run_id]


def test_worker_has_time_to_resume_after_a_sleep(
    database: Database, run_id: str, clock: Clock
) -> None:
    """After an hour of sleep, the watcher may wake up before the worker."""
    watcher = RunWatcher(database, clock=clock)
    poll(watcher, clock, 2)
    steps = int(LOST_SECONDS / MAX_STEP_SECONDS) - 1
    assert poll(watcher, clock, steps, seconds=3600) == []
    beat(database, run_id)
    assert poll(watcher, clock, ENOUGH - 2) == []


def test_database_outage_does_not_count_as_silence(
    database: Database, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = RunWatcher(database, clock=clock)
    poll(watcher, clock, 2)
    with monkeypatch.context() as outage:

        def fail(*_: object) -> None:
            raise OperationalError("", None, Exception())

        outage.setattr(repository, "heartbeats", fail)
        for _ in range(5 * ENOUGH):
            with pytest.raises(OperationalError):
                poll(watcher, clock, 1)
    assert poll(watcher, clock, 2) == []
    beat(database, run_id)
    assert poll(watcher, clock, ENOUGH - 2) == []


def test_lock_on_the_catalog_does_not_count_as_silence(
    database: Database, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program locks the catalog: it can be read, but neither worker nor watcher can
    write."""
    watcher = RunWatcher(database, clock=clock)
    beat(database, run_id)
    poll(watcher, clock, 2)
    lost = []
    with monkeypatch.context() as locked:

        def fail() -> NoReturn:
            raise OperationalError("", None, Exception())

        locked.setattr(database, "session", fail)
        for _ in range(3 * ENOUGH):
            with suppress(OperationalError):
                lost += poll(watcher, clock, 1)
    # Afterwards the watcher may be first; the worker writes within 3 s of being able to.
    lost += poll(watcher, clock, 2, seconds=30)
    beat(database, run_id)
    assert poll(watcher, clock, ENOUGH - 2) == lost == []
    assert poll(watcher, clock, 2) == [run_id]


def test_two_watchers_end_a_run_once(database: Database, run_id: str, clock: Clock) -> None:
    first, second = RunWatcher(database, clock=clock), RunWatcher(database, clock=clock)
    lost = []
    for _ in range(ENOUGH + 1):
        clock.seconds += POLL_SECONDS
        lost += first.poll() + second.poll()
    assert lost == [run_id]
