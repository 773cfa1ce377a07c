"""The worker, `python -m api.worker`: executes retraining runs, one at a time, and checks triggers.

With SQLite there is one worker, beside the API; with PostgreSQL any number, on any machine.
"""

import logging
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from threading import Event

import psycopg
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from api.core.background_task import BackgroundTask
from api.core.log_setup import configure_logging
from api.monitoring.triggers import check_triggers
from api.retraining import repository, service, supervisor
from api.retraining.queue import RunQueue
from api.retraining.run_process import NICE
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now

POLL_SECONDS = 2.0
TRIGGER_SECONDS = 60.0
# Messages arrive within a second, so that a run queued for longer has lost its own.
MESSAGE_LOST_AFTER = timedelta(seconds=3)
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
    lock = FileLock(settings.state_dir / "worker.lock")
    if database.is_sqlite:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.error("A worker is running on %s already.", settings.state_dir)
            return 1
    try:
        with ExitStack() as background_tasks:
            work(settings, database, stopping, background_tasks)
    finally:
        database.close()
        lock.release()
    return 0


def work(
    settings: Settings, database: Database, stopping: Event, background_tasks: ExitStack
) -> None:
    """Execute queued runs until `stopping` is set, which interrupts the current one.

    Checking the triggers goes on until `background_tasks` is closed.
    """
    blobs = Blobs(settings.storage)

    def handle(run_id: str) -> None:
        with bound_contextvars(run_id=run_id):
            supervisor.supervise(database, settings.state_dir, run_id, stopping)

    queue = RunQueue(settings, handle)
    consumer = None
    # On SQLite this is the only worker, so that any running run was left by a dead one.
    lost_after = timedelta(0) if database.is_sqlite else service.LOST_AFTER
    requeued: set[str] = set()
    while not stopping.is_set():
        try:
            if consumer is None:
                database.upgrade()
                _reap_lost(settings, database, lost_after)
                consumer = queue.consumer()
                consumer.start()
                # Again: `start` installs handlers that would end a run without a record.
                _stop_on_signals(stopping)
                check = partial(check_triggers, database, blobs, settings)
                background_tasks.enter_context(BackgroundTask("triggers", TRIGGER_SECONDS, check))
                log.info("Ready for retraining runs.")
            _reap_lost(settings, database, service.LOST_AFTER)
            _requeue_unclaimed(database, queue, requeued)
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("The database cannot be reached; trying again: %s", error)
        stopping.wait(POLL_SECONDS)
    if consumer is not None:
        consumer.stop(graceful=True)
    queue.close()


def _stop_on_signals(stopping: Event) -> None:
    for stop in STOP_SIGNALS:
        signal.signal(stop, lambda _signal, _frame: stopping.set())


def _requeue_unclaimed(database: Database, queue: RunQueue, requeued: set[str]) -> None:
    """Queue the runs whose message was lost, each once."""
    with database.reading() as session:
        unclaimed = repository.queued_before(session, now() - MESSAGE_LOST_AFTER)
    for run_id in set(unclaimed) - requeued:
        requeued.add(run_id)
        queue.put(run_id)


def _reap_lost(settings: Settings, database: Database, lost_after: timedelta) -> None:
    """End the runs whose worker died, and remove their files."""
    with database.session() as session:
        lost = service.reap_lost(session, lost_after=lost_after)
    for run_id in lost:
        log.warning("Run %s has lost its worker.", run_id)
        shutil.rmtree(supervisor.work_folder(settings.state_dir, run_id), ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
