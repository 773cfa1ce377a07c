"""Events that people are notified of: ended runs, models put in use, suggested retrainings.

They are read from the rows that record them, so none is lost if a process dies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, cast, exists, literal, select
from sqlalchemy.orm import Session

from api.core.formatting import printable
from api.storage.tables.models import PromotionRow, RunRow
from api.storage.tables.triggers import NotificationRow, SuggestionRow

# Events that were this old when a process began are not sent, such as those from before there were
# receivers.
NEWS = timedelta(hours=1)
MAX_BODY = 1500
Kind = Literal["info", "success", "warning", "failure"]
# A text may quote file names and errors, which chats would turn into links or mentions.
_HARMLESS = str.maketrans({"@": "(at)", "<": "(", ">": ")", "[": "(", "]": ")", "`": "'"})


@dataclass(frozen=True)
class Event:
    """`id` is the same in every process; some services show `kind` as a colour."""

    id: str
    at: datetime
    kind: Kind
    title: str
    body: str


def new_events(session: Session, since: datetime) -> list[Event]:
    """The events after `since` that no process has claimed, the oldest first."""
    events = [*_runs(session, since), *_promotions(session, since), *_suggestions(session, since)]
    return sorted(events, key=lambda event: event.at)


def _is_unclaimed(prefix: str, row_id: Any) -> ColumnElement[bool]:
    """Whether no process has claimed the event `prefix` + `row_id`."""
    event = literal(prefix) + cast(row_id, String)
    return ~exists().where(NotificationRow.event == event)


def _runs(session: Session, since: datetime) -> Iterator[Event]:
    """Ended runs, except those that a person cancelled."""
    told = RunRow.state.in_(("succeeded", "failed", "interrupted"))
    new = (RunRow.finished_at > since, told, _is_unclaimed("run:", RunRow.id))
    for run in session.scalars(select(RunRow).where(*new)):
        kind, title, body = _outcome(run)
        yield Event(f"run:{run.id}", run.finished_at or since, kind, title, harmless(body))


def _outcome(run: RunRow) -> tuple[Kind, str, str]:
    if run.state != "succeeded":
        return "failure", f"A retraining {_ENDS[run.state]}", run.message
    verdict: dict[str, Any] = run.verdict or {}
    reasons = " ".join(verdict.get("reasons", ()))
    if verdict.get("promote"):
        return "success", f"A new model is in use: {run.candidate}", reasons
    if verdict.get("passed"):
        title = f"A new model waits for you: {run.candidate}"
        return "info", title, f"{reasons} Put it in use on the Retrain page."
    title = f"A new model did not pass the checks: {run.candidate}"
    return "warning", title, f"The model before stays in use. {reasons}"


_ENDS = {"failed": "failed", "interrupted": "was interrupted"}


def _promotions(session: Session, since: datetime) -> Iterator[Event]:
    """Promotions by people; those by a run are part of its own event."""
    by_people = PromotionRow.kind.in_(("manual", "rollback"))
    new = (PromotionRow.at > since, by_people, _is_unclaimed("promotion:", PromotionRow.id))
    for row in session.scalars(select(PromotionRow).where(*new)):
        did = "Rolled back to" if row.kind == "rollback" else "A person put a model in use:"
        body = f"It took the place of {row.replaced}."
        yield Event(f"promotion:{row.id}", row.at, "info", f"{did} {row.version}", body)


def _suggestions(session: Session, since: datetime) -> Iterator[Event]:
    is_open = SuggestionRow.state == "open"
    unclaimed = _is_unclaimed("suggestion:", SuggestionRow.id)
    made = select(SuggestionRow).where(SuggestionRow.created_at > since, is_open, unclaimed)
    for row in session.scalars(made):
        title = f"A retraining is suggested: {row.trigger_name.replace('-', ' ')}"
        body = f"{row.reason} Start it or dismiss it, on any page of the app."
        yield Event(f"suggestion:{row.id}", row.created_at, "info", title, harmless(body))


def harmless(text: str) -> str:
    """`text` on one line, of bounded length, without links, markup and mentions."""
    plain = printable(text).translate(_HARMLESS).replace("://", ": //").strip()
    return plain if len(plain) <= MAX_BODY else f"{plain[:MAX_BODY]}…"
