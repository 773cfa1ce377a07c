"""The worker's side of a run: a process of its own, watched until it ends.

The memory that TensorFlow takes goes with the process, to cancel is to end it, and where it crashes
the run has failed and the worker has not.
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

from sqlalchemy.exc import SQLAlchemyError

from api.core.process_tuning import ONE_THREAD
from api.retraining import repository, service
from api.settings import PROJECT
from api.storage.db import Database

PERFORM = (sys.executable, "-m", "api.retraining.run_process")
LOOK_SECONDS = 0.25
BEAT_SECONDS = 3.0
# So long a process may take to end when it is asked to.
END_SECONDS = 5.0
KILLED = (
    "The run was ended by the system, most often because memory ran out. Close other programs, or "
    "choose the mode fast or a smaller architecture."
)
CRASHED = "The run's process ended with status {status}. The worker's log says more."
STOPPED = "The worker was stopped before the run was done. The run can be started again."
log = logging.getLogger(__name__)


def work_folder(state: Path, run_id: str) -> Path:
    """Where a run keeps what is not finished; the worker removes it."""
    return state / "work" / run_id


def perform(database: Database, state: Path, run_id: str, stopping: Event) -> None:
    """Take the run `run_id`, unless another did, and see it to its end.

    When `stopping` is set, the run is interrupted.
    """
    with database.session() as session:
        if not repository.claim(session, run_id):
            return
    log.info("Run %s begins.", run_id)
    process = subprocess.Popen(  # noqa: S603  (the id is one of the table)
        # A session of its own: Ctrl-C reaches the worker, which ends the run in order.
        [*PERFORM, run_id, str(os.getpid())],
        cwd=PROJECT,
        env={**ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
        start_new_session=True,
    )
    try:
        outcome = _watch(database, run_id, process, stopping)
    finally:
        _end(process)
        shutil.rmtree(work_folder(state, run_id), ignore_errors=True)
    _settle(database, run_id, *(outcome or _ended(process)))


def _watch(
    database: Database, run_id: str, process: "subprocess.Popen[bytes]", stopping: Event
) -> tuple[str, str] | None:
    """Wait for the process; the state and message where the run ends for another reason."""
    beaten = time.monotonic()
    while process.poll() is None:
        if stopping.wait(LOOK_SECONDS):
            return "interrupted", STOPPED
        try:
            with database.reading() as session:
                run = repository.find(session, run_id)
                cancelled = run is not None and run.state == "running" and run.cancel_requested
                # One that is over may still log what it did; one that others gave up may not.
                given_up = run is None or run.state == "interrupted"
            if cancelled or given_up:
                return "cancelled", "Cancelled."
            if time.monotonic() - beaten >= BEAT_SECONDS:
                with database.session() as session:
                    repository.heartbeat(session, run_id)
                beaten = time.monotonic()
        except SQLAlchemyError as error:
            log.warning("The database cannot be reached while run %s runs: %s", run_id, error)
    return None


def _ended(process: "subprocess.Popen[bytes]") -> tuple[str, str]:
    """What to say where the process ended without saying it itself."""
    if process.returncode == -signal.SIGKILL:
        return "failed", KILLED
    return "failed", CRASHED.format(status=process.returncode)


def _settle(database: Database, run_id: str, state: str, message: str) -> None:
    with database.session() as session:
        run = repository.find(session, run_id)
        if run is not None and run.state == "running":
            service.finalize(session, run, state, message)
            log.info("Run %s: %s. %s", run_id, run.state, run.message)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
