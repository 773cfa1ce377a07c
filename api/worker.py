"""The worker, `python -m api.worker`: it performs retraining runs, one at a time.

With SQLite there is one worker, beside the API; with PostgreSQL as many as there are machines.
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

from api.core.background_task import BackgroundTask
from api.monitoring.triggers import check
from api.retraining import repository, service, supervisor
from api.retraining.queue import RunQueue
from api.retraining.run_process import NICE
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now

ROUND_SECONDS = 2.0
TRIGGER_SECONDS = 60.0
# A message is on its way for less; a run that has waited for so long has none.
MESSAGE_LOST_AFTER = timedelta(seconds=3)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
log = logging.getLogger("api.worker")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("huey").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stopping = Event()
    for stop in STOP_SIGNALS:
        signal.signal(stop, lambda _signal, _frame: stopping.set())
    os.nice(NICE)  # Serving comes first.
    settings = get_settings()
    database = Database(settings.database)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    alone = FileLock(settings.state_dir / "worker.lock")
    if database.is_sqlite:
        try:
            alone.acquire(timeout=0)
        except Timeout:
            log.error("A worker is running on %s already.", settings.state_dir)
            return 1
    try:
        with ExitStack() as beside:
            serve(settings, database, stopping, beside)
    finally:
        database.close()
        alone.release()
    return 0


def serve(settings: Settings, database: Database, stopping: Event, beside: ExitStack) -> None:
    """Perform runs until `stopping` is set; the one that is running then is interrupted.

    What is to be done beside that, such as looking at the triggers, goes on until `beside` ends.
    """
    blobs = Blobs(settings.storage)
    queue = RunQueue(
        settings, lambda run_id: supervisor.perform(database, settings.state_dir, run_id, stopping)
    )
    consumer = None
    # Of a database on this machine alone, whatever runs has lost its worker: this is the only one.
    lost_after = timedelta(0) if database.is_sqlite else service.LOST_AFTER
    woken: set[str] = set()
    while not stopping.is_set():
        try:
            if consumer is None:
                database.upgrade()
                _reap_lost(settings, database, lost_after)
                consumer = queue.consumer()
                consumer.start()
                # Replaces the handlers of the consumer, which would end a run without a record.
                for stop in STOP_SIGNALS:
                    signal.signal(stop, lambda _signal, _frame: stopping.set())
                look = partial(check, database, blobs, settings)
                beside.enter_context(BackgroundTask("look at the triggers", TRIGGER_SECONDS, look))
                log.info("Ready for retraining runs.")
            _round(settings, database, queue, woken)
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("The database cannot be reached; trying again: %s", error)
        stopping.wait(ROUND_SECONDS)
    if consumer is not None:
        consumer.stop(graceful=True)
    queue.close()


def _round(settings: Settings, database: Database, queue: RunQueue, woken: set[str]) -> None:
    """Put right what other workers left, and take what no message came of."""
    _reap_lost(settings, database, service.LOST_AFTER)
    with database.reading() as session:
        waiting = repository.queued_before(session, now() - MESSAGE_LOST_AFTER)
    for run_id in set(waiting) - woken:
        woken.add(run_id)
        queue.put(run_id)


def _reap_lost(settings: Settings, database: Database, lost_after: timedelta) -> None:
    with database.session() as session:
        lost = service.reap_lost(session, lost_after=lost_after)
    for run_id in lost:
        log.warning("Run %s has lost its worker.", run_id)
        shutil.rmtree(supervisor.work_folder(settings.state_dir, run_id), ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
