"""The life cycle of a run: created, cancelled, ended, and reaped after its worker crashed."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError
from api.retraining import repository
from api.retraining.omissions import describe_left_out, describe_omissions
from api.retraining.progress import Stage
from api.retraining.queue import RunQueue
from api.storage.db import Database, now
from api.storage.ids import by_id, new_id, next_number
from api.storage.tables.models import ModelRow, RunRow

# detector: trains only the detector.
Mode = Literal["fast", "full", "detector"]

# A worker claims a run within a second, unless all its threads still log others to MLflow.
CLAIM_TIMEOUT = timedelta(seconds=10)
INTERRUPTED = (
    "The worker stopped before the run was done. Nothing was changed; the run can be started again."
)
UNCLAIMED = (
    "Waiting. If no worker is running, start it with make run, or python -m api.worker alone."
)
log = logging.getLogger(__name__)


class RunActiveError(ConflictError):
    code = "run-active"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Run {run_id} is queued or running, and one runs at a time. Wait for it "
            f"(GET /retraining-status) or cancel it (POST /runs/{run_id}/cancel)."
        )


class NothingNewError(ConflictError):
    code = "nothing-new"

    def __init__(self, champion: str, left_out: Mapping[str, int]) -> None:
        """`left_out`: as in `Omissions.classes`."""
        detail = (
            f"Version {champion} has already learned all photos. Upload more, correct "
            f'some, or send {{"force": true}}. {describe_left_out(left_out)}'
        )
        super().__init__(detail.strip())


class NoChampionError(ConflictError):
    code = "no-champion"
    detail = (
        "No model version serves, so there is nothing to start from. Promote one (GET /models "
        "lists them), or start the API once with a package in RIPELINE_MODEL_DIR."
    )


class UnknownRunError(NotFoundError):
    code = "unknown-run"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id!r}. GET /runs lists them.")


class RunOverError(ConflictError):
    code = "run-over"

    def __init__(self, run_id: str, state: str) -> None:
        super().__init__(f"Run {run_id} is over ({state}), so there is nothing to cancel.")


def create_run(session: Session, *, mode: Mode, started_by: str, options: dict[str, Any]) -> RunRow:
    """Insert a queued run. Raises RunActiveError if another one is queued or running.

    `enqueue` also wakes a worker; without that, workers find the run within seconds.
    """
    _check_none_active(session)
    run = RunRow(
        id=new_id(),
        number=next_number(session, RunRow),
        mode=mode,
        options=options,
        started_by=started_by,
        state="queued",
        active=1,
        stage=Stage.WAITING.value,
        message="Waiting for the worker.",
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:  # Another process inserted one meanwhile: `active` is unique.
        _check_none_active(session)
        raise
    return run


def enqueue(
    database: Database, queue: RunQueue, *, mode: Mode, started_by: str, options: dict[str, Any]
) -> RunRow:
    """Create a run and wake a worker. Raises RunActiveError."""
    with database.session() as session:
        run = create_run(session, mode=mode, started_by=started_by, options=options)
    # After the commit: before it, a worker would not find the row.
    queue.put(run.id)
    return run


def cancel(session: Session, run_id: str) -> RunRow:
    """Cancel a queued run at once; `supervisor` stops a running one within a second or two.

    Raises UnknownRunError, or RunOverError if it has ended.
    """
    run = get(session, run_id)
    # Locked: its worker may be about to claim or end it.
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
    run = by_id(session, RunRow, run_id)
    if run is None:
        raise UnknownRunError(run_id)
    return run


def current_status(run: RunRow) -> tuple[str, str]:
    """State and message; for a run that nobody claims, the message says how to start a worker."""
    # A time ahead by more than clocks differ was recorded before the clock was set back.
    if run.state == "queued" and abs(now() - run.created_at) > CLAIM_TIMEOUT:
        return run.state, UNCLAIMED
    return run.state, run.message


def reap(session: Session, lost: Mapping[str, datetime | None]) -> list[str]:
    """End the running runs whose heartbeat is still that of `lost`; returns their IDs."""
    runs = [
        run
        for run in repository.lock_running(session, lost.keys())
        if run.heartbeat_at == lost[run.id]
    ]
    for run in runs:
        finalize(session, run, "interrupted", INTERRUPTED)
        log.warning("Run %s has lost its worker.", run.id)
    return [run.id for run in runs]


def end_running(database: Database, run_id: str, state: str, message: str) -> None:
    """`finalize` the run unless it has ended."""
    with database.session() as session:
        run = session.get(RunRow, run_id, with_for_update=True)
        if run is not None and run.state == "running":
            finalize(session, run, state, message)
            log.info("Run %s: %s. %s", run_id, run.state, run.message)


def finalize(session: Session, run: RunRow, state: str, message: str) -> None:
    """End a run whose process is gone; it has succeeded if it registered its model."""
    if model := repository.model_of(session, run.id):
        succeed(run, model)
    else:
        end(run, state, message)


def succeed(run: RunRow, model: ModelRow) -> None:
    """End a run that registered `model`, promoted or not."""
    verdict = model.verdict or {}
    reasons = " ".join(verdict.get("reasons", ()))
    if verdict.get("promote"):
        message = f"Version {model.version} is better or as good, and serves."
    elif verdict.get("passed"):
        message = f"Version {model.version} is kept as challenger. {reasons}"
    else:
        message = f"Version {model.version} was not promoted, and is kept as challenger. {reasons}"
    figures = verdict.get("figures", {})
    detector = figures.get("detector", {}).get("message", "")
    message = f"{message.strip()} {detector}".strip() + f" {describe_omissions(figures)}"
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


def _check_none_active(session: Session) -> None:
    """Raises RunActiveError."""
    active = repository.active(session)
    if active is not None:
        raise RunActiveError(active.id)
