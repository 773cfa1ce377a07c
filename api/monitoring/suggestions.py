"""Suggestions of triggers: made, answered by people, and withdrawn when they no longer hold.

They change under the lock of their trigger's row, so each is made and answered only once.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError
from api.monitoring.trigger_rules import RULES, TriggerResult, record_run
from api.retraining.plan import make_plan
from api.retraining.queue import RunQueue
from api.retraining.service import NothingNewError, create_run
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now, upsert
from api.storage.ids import by_id, new_id
from api.storage.tables.models import RunRow
from api.storage.tables.triggers import SuggestionRow, SuggestionState, TriggerRow


class UnknownSuggestionError(NotFoundError):
    code = "unknown-suggestion"

    def __init__(self, suggestion_id: str) -> None:
        super().__init__(
            f"There is no suggestion '{suggestion_id[:40]}'. GET /suggestions lists them."
        )


class SuggestionOverError(ConflictError):
    code = "suggestion-over"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"This suggestion is over ({state}). GET /suggestions lists the open ones."
        )


def open_suggestions(session: Session) -> list[SuggestionRow]:
    """Suggestions that wait for a person, the oldest first."""
    is_open = select(SuggestionRow).where(SuggestionRow.active == 1, SuggestionRow.state == "open")
    return list(session.scalars(is_open.order_by(SuggestionRow.created_at)))


def active_suggestions(session: Session) -> dict[str, SuggestionRow]:
    """By trigger: open suggestions, and dismissed ones that may still hold it back."""
    active = select(SuggestionRow).where(SuggestionRow.active == 1)
    return {row.trigger_name: row for row in session.scalars(active)}


def is_outdated(dismissed: SuggestionRow, result: TriggerResult, version: str) -> bool:
    """Whether there is something new since a suggestion was dismissed.

    That is another version, or a value that has grown by the threshold once more. If the condition
    no longer holds, `trigger_check` withdraws the suggestion.
    """
    if version != dismissed.version:
        return True
    before, threshold = dismissed.value, dismissed.threshold
    if result.value is None or before is None or threshold is None:
        return False
    return result.value - before > threshold


def suggest(
    session: Session,
    trigger: TriggerRow,
    result: TriggerResult,
    *,
    version: str,
    threshold: float | None,
    at: datetime,
) -> SuggestionRow:
    """Make a suggestion, in place of a dismissed one. The row of the trigger is locked."""
    _end_active(session, trigger.name, at)
    row = SuggestionRow(
        id=new_id(),
        trigger_name=trigger.name,
        state="open",
        active=1,
        version=version,
        reason=result.sentence,
        value=result.value,
        threshold=threshold,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def withdraw(session: Session, trigger_name: str, at: datetime) -> None:
    """End the open suggestion, and forget a dismissed one."""
    lock_trigger(session, trigger_name)
    _end_active(session, trigger_name, at)


def accept(
    database: Database, blobs: Blobs, settings: Settings, queue: RunQueue, suggestion_id: str
) -> RunRow:
    """Start a fast run for a suggestion.

    Raises UnknownSuggestionError, SuggestionOverError, NoChampionError, NothingNewError and
    RunActiveError, and changes nothing then.
    """
    with database.reading() as session:
        _check_open(_get(session, suggestion_id))
        plan = make_plan(session, blobs, settings)
    if not plan.catalog_diff.any:
        raise NothingNewError(plan.champion, plan.left_out)
    at = now()
    with database.session() as session:
        row, trigger = _lock(session, suggestion_id)
        run = create_run(session, mode="fast", started_by=f"suggestion:{trigger.name}", options={})
        _end(row, "accepted", at)
        row.active, row.run_id = None, run.id
        record_run(session, trigger, run, plan.photos, at)
    # After the commit: before it, a worker would not find the row.
    queue.put(run.id)
    return run


def dismiss(session: Session, suggestion_id: str, at: datetime) -> SuggestionRow:
    """Dismiss it: its trigger suggests nothing until there is something new.

    Raises UnknownSuggestionError, SuggestionOverError.
    """
    row, trigger = _lock(session, suggestion_id)
    _end(row, "dismissed", at)
    if RULES[row.trigger_name].has_schedule:
        trigger.scheduled_at = at  # Only the next due time counts as something new.
    return row


def lock_trigger(session: Session, name: str) -> TriggerRow:
    """The locked row of a trigger, inserted if it is missing."""
    # Another process may insert it at the same moment.
    upsert(session, TriggerRow, {"name": name}, {})
    return session.get_one(TriggerRow, name, with_for_update=True, populate_existing=True)


def _get(session: Session, suggestion_id: str) -> SuggestionRow:
    row = by_id(session, SuggestionRow, suggestion_id)
    if row is None:
        raise UnknownSuggestionError(suggestion_id)
    return row


def _lock(session: Session, suggestion_id: str) -> tuple[SuggestionRow, TriggerRow]:
    """An open suggestion and its trigger."""
    row = _get(session, suggestion_id)
    trigger = lock_trigger(session, row.trigger_name)
    session.refresh(row)
    _check_open(row)
    return row, trigger


def _check_open(row: SuggestionRow) -> None:
    if row.state != "open":
        raise SuggestionOverError(row.state)


def _end_active(session: Session, trigger_name: str, at: datetime) -> None:
    row = active_suggestions(session).get(trigger_name)
    if row is None:
        return
    if row.state == "open":
        _end(row, "withdrawn", at)
    row.active = None
    session.flush()


def _end(row: SuggestionRow, state: SuggestionState, at: datetime) -> None:
    row.state, row.ended_at = state, at
