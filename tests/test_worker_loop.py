"""Parts of the worker's loop, in this process."""

import signal
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

import pytest

from api import worker
from api.retraining import repository, service, supervisor
from api.retraining.queue import QUEUE_FILE, RunQueue
from api.retraining.run_watcher import RunWatcher
from api.settings import Settings
from api.storage.db import Database
from api.worker import MESSAGE_LOST_SECONDS, STOP_SIGNALS, UnclaimedRuns, work
from tests.waiting import PATIENCE_SECONDS

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Steps(Event):
    """An event that takes a step instead of each wait, and is set after the last step."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if self._steps:
            self._steps.pop(0)()
        else:
            self.set()
        return self.is_set()


@pytest.fixture
def own(settings: Settings, database_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a worker, whose signal handlers are removed after the test."""
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield settings.model_copy(update={"state_dir": tmp_path, "database_url": database_url})
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run_id(database: Database) -> str:
    with database.session() as session:
        return service.create_run(session, mode="fast", started_by="manual", options={}).id


def test_run_is_started_again_until_a_worker_claims_it(
    database: Database, run_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    seconds, started = [0.0], list[tuple[str, Future[None]]]()

    def start(run: str) -> Future[None]:
        started.append((run, Future()))
        return started[-1][1]

    unclaimed = UnclaimedRuns(database, start, clock=lambda: seconds[0])
    for times in range(4):
        unclaimed.start()
        assert [run for run, _ in started] == [run_id] * times
        seconds[0] += MESSAGE_LOST_SECONDS / 2
        unclaimed.start()  # The message may still arrive.
        assert len(started) == times
        seconds[0] += MESSAGE_LOST_SECONDS / 2
        if times == 1:  # It is still being started.
            unclaimed.start()
            assert len(started) == 1
        if started:
            started[-1][1].set_exception(OSError("the catalog is locked"))
    assert "tried again: the catalog is locked" in caplog.text
    with database.session() as session:
        assert repository.claim(session, run_id)
    unclaimed.start()
    assert len(started) == 3


@on_sqlite
def test_damaged_queue_is_put_aside(
    own: Settings, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    queue = tmp_path / QUEUE_FILE
    queue.write_text("no database, " * 100)
    handled = Event()
    with ExitStack() as tasks:
        work(own, database, Steps(), tasks)
    assert "damaged and was moved" in caplog.text
    assert "Ready for retraining runs." in caplog.text
    assert (tmp_path / f"{QUEUE_FILE}.damaged").read_text() == "no database, " * 100
    RunQueue(own, lambda _: handled.set()).put("run")
    assert "no worker could be woken" not in caplog.text


@on_sqlite
def test_run_starts_without_a_queue(
    own: Settings,
    *,
    database: Database,
    tmp_path: Path,
    run_id: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As on a full disk; the catalog has the run."""
    (tmp_path / QUEUE_FILE).mkdir()
    supervised: list[str] = []
    has_begun = Event()

    def supervise(_database: Database, _state: Path, run: str, _stopping: Event) -> None:
        supervised.append(run)
        has_begun.set()

    monkeypatch.setattr(supervisor, "supervise", supervise)
    monkeypatch.setattr(worker, "MESSAGE_LOST_SECONDS", 0)
    with ExitStack() as tasks:
        work(own, database, Steps(lambda: has_begun.wait(PATIENCE_SECONDS)), tasks)
    assert set(supervised) == {run_id}
    assert "The queue cannot be opened" in caplog.text


@on_sqlite
def test_store_that_cannot_be_read_is_tried_again(
    own: Settings, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The store is looked at while the catalog is empty."""
    caplog.set_level("INFO")
    in_the_way = tmp_path / "blobs"
    in_the_way.write_text("")
    new = Database(database_url)
    with ExitStack() as tasks:
        work(own, new, Steps(in_the_way.unlink), tasks)
    new.close()
    assert "The store of photos and models failed: Not a directory" in caplog.text
    assert "Ready for retraining runs." in caplog.text


@on_sqlite
def test_second_message_of_a_run_leaves_it_to_its_worker(
    own: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclaimed, last_handled = ["run"], Event()
    owned: list[Collection[str]] = []
    seen: list[list[str]] = []

    class Watcher(RunWatcher):
        def __init__(self, database: Database, own: Collection[str]) -> None:
            owned.append(own)
            super().__init__(database, own)

    def supervise(_database: Database, _state: Path, run_id: str, _stopping: Event) -> None:
        if run_id == "last":
            seen.extend(map(sorted, owned))
            last_handled.set()
        with suppress(IndexError):
            unclaimed.pop()
            last_handled.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(worker, "RunWatcher", Watcher)
    monkeypatch.setattr(supervisor, "supervise", supervise)
    queue = RunQueue(own)
    for run_id in ("run", "run", "last"):
        queue.put(run_id)
    with ExitStack() as tasks:
        work(own, database, Steps(lambda: last_handled.wait(PATIENCE_SECONDS)), tasks)
    queue.close()
    assert seen == [["last", "run"]]
