"""The worker's side of a run: starts a process for it, supervises it, and cancels it.

A separate process returns TensorFlow's memory when it exits, can be cancelled by terminating it,
and takes down only the run if it crashes.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

from asgi_correlation_id import correlation_id
from sqlalchemy.exc import SQLAlchemyError
from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_fixed,
)

from api.core.process_tuning import ONE_THREAD
from api.retraining import repository, service
from api.settings import PROJECT
from api.storage.db import UNAVAILABLE, Database
from api.storage.tables.models import RunRow

COMMAND = (sys.executable, "-m", "api.retraining.run_process")
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 3.0
# Between SIGTERM and SIGKILL.
TERMINATE_SECONDS = 5.0
# A database outage of up to this long does not change how a run ended.
END_TIMEOUT_SECONDS = 300.0
END_RETRY_SECONDS = 3.0
KILLED = (
    "The run was ended by the system, most often because memory ran out. Close other programs, or "
    "choose the mode fast or a smaller architecture."
)
CRASHED = "The run's process ended with status {status}. The worker's log says more."
NOT_STARTED = (
    "The run's process could not be started: {reason}. Close other programs, and start the run "
    "again."
)
STOPPED = "The worker was stopped before the run was done. The run can be started again."
log = logging.getLogger(__name__)
Process = subprocess.Popen[bytes]


def work_folder(state: Path, run_id: str) -> Path:
    """Unfinished files of a run. The worker removes it, never the run's own process."""
    return state / "work" / run_id


def supervise(database: Database, state: Path, run_id: str, stopping: Event) -> None:
    """Claim the run, start its process, wait for it, and finalize the run.

    Does nothing if another worker has claimed the run. Interrupts it when `stopping` is set.
    """
    with database.session() as session:
        if not repository.claim(session, run_id):
            return
    log.info("Run %s begins.", run_id)
    try:
        process = subprocess.Popen(  # noqa: S603  (the id is one of the table)
            [*COMMAND, run_id, str(os.getpid()), correlation_id.get() or ""],
            cwd=PROJECT,
            # A run sends no notifications: that needs memory, and secrets.
            env={**ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "RIPELINE_NOTIFY": ""},
            # Ctrl-C must reach only the worker, which then ends the run properly.
            start_new_session=True,
        )
    except OSError as error:
        outcome, message = "failed", NOT_STARTED.format(reason=error.strerror)
    else:
        try:
            outcome, message = _wait(database, run_id, process, stopping)
        finally:
            _terminate(process)
            shutil.rmtree(work_folder(state, run_id), ignore_errors=True)
    # Without a record of its end, the run would count as interrupted, however it ended.
    retrying = Retrying(
        retry=retry_if_exception_type(UNAVAILABLE),
        wait=wait_fixed(END_RETRY_SECONDS),
        sleep=sleep_using_event(stopping),
        stop=stop_any(stop_after_delay(END_TIMEOUT_SECONDS), stop_when_event_set(stopping)),
        before_sleep=before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    retrying(service.end_running, database, run_id, outcome, message)


def _wait(database: Database, run_id: str, process: Process, stopping: Event) -> tuple[str, str]:
    """Wait for the process, or until it must be terminated, and write heartbeats.

    Returns the state and message for a run that is still running in the catalog.
    """
    last_heartbeat = time.monotonic()
    while process.poll() is None:
        if stopping.wait(POLL_SECONDS):
            return "interrupted", STOPPED
        try:
            with database.reading() as session:
                run = session.get(RunRow, run_id)
            # Another process has ended it, and said why.
            if run is None or run.state == "interrupted":
                return "interrupted", ""
            # Not once it has ended: its process may still log to MLflow.
            if run.state == "running" and run.cancel_requested:
                return "cancelled", "Cancelled."
            if time.monotonic() - last_heartbeat >= HEARTBEAT_SECONDS:
                with database.session() as session:
                    repository.update_running(session, run_id)
                last_heartbeat = time.monotonic()
        except SQLAlchemyError as error:
            log.warning("The database cannot be reached while run %s runs: %s", run_id, error)
    if process.returncode == -signal.SIGKILL:
        return "failed", KILLED
    return "failed", CRASHED.format(status=process.returncode)


def _terminate(process: Process) -> None:
    process.terminate()  # Does nothing if it has exited.
    try:
        process.wait(TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
