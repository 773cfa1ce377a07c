"""The worker, `python -m api.worker`: executes retraining runs, one at a time, and checks triggers.

With SQLite there is one worker, beside the API; with PostgreSQL any number, on any machine.
"""

import logging
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import psycopg
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from api.catalog.service import open_catalog
from api.core.background_task import BackgroundTask
from api.core.log_setup import configure_logging
from api.monitoring.notifications import POLL_SECONDS as NOTIFY_SECONDS
from api.monitoring.notifications import Notifier
from api.monitoring.trigger_check import check_triggers
from api.retraining import repository, service, supervisor
from api.retraining.queue import RunQueue
from api.retraining.run_process import NICE
from api.retraining.run_watcher import POLL_SECONDS, RunWatcher
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import StoreError

if TYPE_CHECKING:
    from huey.consumer import Consumer

TRIGGER_SECONDS = 60.0
# Messages arrive within a second, so a run queued for longer has lost its message.
MESSAGE_LOST_SECONDS = 3.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
log = logging.getLogger("api.worker")


def main() -> int:
    settings = get_settings()
    configure_logging(settings.log_level, settings.log_format)
    stopping = Event()
    _stop_on_signals(stopping)
    os.nice(NICE)  # Serving comes first.
    database = Database(settings.database)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as resources:
        resources.callback(database.close)
        try:
            for path in _lock_files(settings, database):
                resources.enter_context(FileLock(path, timeout=0))
        except Timeout as error:
            log.error("A worker is already running on %s.", Path(error.lock_file).parent)
            return 1
        with ExitStack() as background_tasks:
            work(settings, database, stopping, background_tasks)
    return 0


def _lock_files(settings: Settings, database: Database) -> list[Path]:
    """Locked while a worker lives: with SQLite, only one may use a catalog or a state folder."""
    if database.path is None:
        return []
    return [settings.state_dir / "worker.lock", Path(f"{database.path}.worker.lock")]


def work(
    settings: Settings, database: Database, stopping: Event, background_tasks: ExitStack
) -> None:
    """Execute queued runs until `stopping` is set, which interrupts the current one.

    Triggers are checked and notifications sent until `background_tasks` is closed.
    """
    blobs = Blobs(settings.storage)

    # A list: when a duplicate message has been handled, its run must still count as our own.
    own: list[str] = []

    def handle(run_id: str) -> None:
        own.append(run_id)  # Before it is claimed.
        try:
            with bound_contextvars(run_id=run_id):
                supervisor.supervise(database, settings.state_dir, run_id, stopping)
        finally:
            own.remove(run_id)

    queue = RunQueue(settings, handle)
    consumer, is_ready = None, False
    watcher = RunWatcher(database, own)
    thread = background_tasks.enter_context(ThreadPoolExecutor(1, "unclaimed run"))
    unclaimed = UnclaimedRuns(database, lambda run_id: thread.submit(handle, run_id))
    while not stopping.is_set():
        try:
            if not is_ready:
                open_catalog(database, blobs)
                if database.is_sqlite:
                    _reap_all(settings, database)
                check = partial(check_triggers, database, blobs, settings)
                background_tasks.enter_context(BackgroundTask("triggers", TRIGGER_SECONDS, check))
                if settings.notify:
                    poll = Notifier(database, settings).poll
                    background_tasks.enter_context(BackgroundTask("notifier", NOTIFY_SECONDS, poll))
                is_ready = True
                log.info("Ready for retraining runs.")
            consumer = consumer or _start_consumer(queue, stopping)
            _remove_files(settings, watcher.poll())
            unclaimed.start()
        except SQLAlchemyError as error:
            log.warning("The database cannot be reached; retrying: %s", error)
        except StoreError as error:
            log.warning("%s; retrying.", error)
        stopping.wait(POLL_SECONDS)
    if consumer is not None:
        consumer.stop(graceful=True)
    queue.close()


def _start_consumer(queue: RunQueue, stopping: Event) -> "Consumer | None":
    try:
        consumer = queue.consumer()
        consumer.start()
    except (psycopg.Error, sqlite3.Error) as error:
        log.warning("The queue cannot be opened, so runs start some seconds later: %s", error)
        return None
    # Again: `start` installs handlers that would end a run without a record.
    _stop_on_signals(stopping)
    return consumer


def _stop_on_signals(stopping: Event) -> None:
    for stop in STOP_SIGNALS:
        signal.signal(stop, lambda _signal, _frame: stopping.set())


class UnclaimedRuns:
    """Starts runs that stay unclaimed because their message was lost or the queue is broken.

    `start` handles a run in another thread; `clock` returns seconds that only increase.
    """

    def __init__(
        self,
        database: Database,
        start: Callable[[str], Future[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._start = start
        self._clock = clock
        # By run: when it was first seen or last started.
        self._waits_since: dict[str, float] = {}
        self._started: Future[None] | None = None

    def start(self) -> None:
        """Call this repeatedly: a message counts as lost if its run stays unclaimed."""
        with self._database.reading() as session:
            queued = repository.queued(session)
        at = self._clock()
        self._waits_since = {run_id: self._waits_since.get(run_id, at) for run_id in queued}
        if self._started is not None:
            if not self._started.done():
                return
            if error := self._started.exception():
                log.warning("A run could not be started; it is tried again: %s", error)
            self._started = None
        for run_id, since in self._waits_since.items():
            if at - since >= MESSAGE_LOST_SECONDS:
                self._waits_since[run_id] = at
                self._started = self._start(run_id)
                return


def _reap_all(settings: Settings, database: Database) -> None:
    """End all running runs: this is the only worker, so a dead one left them behind."""
    with database.session() as session:
        lost = service.reap(session, repository.heartbeats(session))
    _remove_files(settings, lost)


def _remove_files(settings: Settings, run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        shutil.rmtree(supervisor.work_folder(settings.state_dir, run_id), ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
