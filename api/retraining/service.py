"""The life of a run: started, taken by a worker, cancelled, ended, repaired after a crash."""

import re
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.retraining import repository
from api.retraining.errors import RunActiveError, RunOverError, UnknownRunError
from api.retraining.queue import RunQueue
from api.storage.db import Database, now
from api.storage.tables import ModelRow, RunRow

Mode = Literal["fast", "full"]

# A worker that has not been heard of for so long is dead.
LOST_AFTER = timedelta(seconds=30)
# A worker takes a run within a second; one that is not taken for so long waits for none.
TAKEN_WITHIN = timedelta(seconds=10)
INTERRUPTED = (
    "The worker stopped before the run was done. Nothing was changed; the run can be started again."
)
NO_WORKER = (
    "Waiting, but no worker is running: start it with make run, or python -m api.worker alone."
)


def start_run(session: Session, *, mode: Mode, started_by: str, options: dict[str, Any]) -> RunRow:
    """Queue a run. Whoever calls this also tells the queue, after the commit.

    Raises RunActiveError where one is queued or running, in whichever process it was started.
    """
    reap_lost(session)
    _refuse_second(session)
    run = RunRow(
        id=uuid4().hex,
        mode=mode,
        options=options,
        started_by=started_by,
        state="queued",
        active=1,
        stage="Waiting",
        message="Waiting for the worker.",
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        _refuse_second(session)
        raise
    return run


def begin(
    database: Database, queue: RunQueue, *, mode: Mode, started_by: str, options: dict[str, Any]
) -> RunRow:
    """Queue a run and wake a worker. Raises what `start_run` raises."""
    with database.session() as session:
        run = start_run(session, mode=mode, started_by=started_by, options=options)
    # After the commit: a worker that is told earlier would not find it.
    queue.put(run.id)
    return run


def cancel(session: Session, run_id: str) -> RunRow:
    """Cancel a queued run at once; ask the worker to end a running one, which takes a second.

    Raises UnknownRunError, or RunOverError where it has ended.
    """
    reap_lost(session)
    run = get(session, run_id)
    # Its worker may just take it, or end it: from here on it waits.
    session.refresh(run, with_for_update=True)
    if run.state == "queued":
        end(run, "cancelled", "Cancelled before it began.")
    elif run.state == "running":
        run.cancel_requested = True
        run.message = "Being cancelled."
    else:
        raise RunOverError(run_id, run.state)
    return run


def get(session: Session, run_id: str) -> RunRow:
    """Raises UnknownRunError."""
    # What can be no id never reaches the database: PostgreSQL refuses some strings.
    run = repository.find(session, run_id) if re.fullmatch(r"[0-9a-f]{32}", run_id) else None
    if run is None:
        raise UnknownRunError(run_id)
    return run


def reap_lost(session: Session, *, lost_after: timedelta = LOST_AFTER) -> list[str]:
    """End the runs whose worker has not been heard of for `lost_after`; gives their ids."""
    lost = repository.lost(session, now() - lost_after)
    for run in lost:
        finalize(session, run, "interrupted", INTERRUPTED)
    return [run.id for run in lost]


def finalize(session: Session, run: RunRow, state: str, message: str) -> None:
    """End a run whose process is gone.

    Where it had registered its model, it was done but for saying so, and has succeeded.
    """
    model = repository.model_of(session, run.id)
    if model is None:
        end(run, state, message)
    else:
        succeed(run, model)


def succeed(run: RunRow, model: ModelRow) -> None:
    verdict = model.verdict or {}
    if verdict.get("promote"):
        message = f"Version {model.version} is better or as good, and serves."
    else:
        reasons = " ".join(verdict.get("reasons", ()))
        message = f"Version {model.version} was not promoted, and is kept as challenger. {reasons}"
    run.candidate = model.version
    run.verdict = model.verdict
    run.progress = 100.0
    end(run, "succeeded", message.strip())


def end(run: RunRow, state: str, message: str) -> None:
    """`state` is succeeded, failed, cancelled or interrupted."""
    run.state = state
    run.active = None
    run.message = message
    run.eta_seconds = None
    run.finished_at = now()


def current_status(run: RunRow) -> tuple[str, str]:
    """State and message as of now, also where no worker is left to write them."""
    if run.state == "running":
        heard = run.heartbeat_at
        if heard is None or now() - heard > LOST_AFTER:
            return "interrupted", INTERRUPTED
    if run.state == "queued" and now() - run.created_at > TAKEN_WITHIN:
        return run.state, NO_WORKER
    return run.state, run.message


def _refuse_second(session: Session) -> None:
    running = repository.active(session)
    if running is not None:
        raise RunActiveError(running.id)
