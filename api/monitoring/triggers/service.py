"""Firing the trigger that asks for it, and setting triggers."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.db import Database, now
from api.errors import ProblemError
from api.monitoring.triggers.errors import BadTriggerSettingError, UnknownTriggerError
from api.monitoring.triggers.repository import locked
from api.monitoring.triggers.rule import Rule
from api.monitoring.triggers.rules import RULES
from api.monitoring.triggers.state import chosen_of, rests_until, trigger_states
from api.retrain.service import start_run
from api.settings import Settings

LEAST_COOLDOWN, LONGEST_COOLDOWN = 1, 24 * 365
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Firing:
    """A trigger that fired, and the run that it started."""

    trigger: str
    run_id: str


def check(
    database: Database, blobs: Blobs, settings: Settings, at: datetime | None = None
) -> list[Firing]:
    """Fire the first trigger that asks for a retraining; to be called once a minute.

    A firing queues a fast run and notes when it did, in one transaction. Gives the firings: none or
    one, since only one run is active at a time. Raises what the database raises when it is away.
    """
    moment = at or now()
    with database.reading() as session:  # Looking takes a while, and keeps no writer waiting.
        states = trigger_states(session, settings, blobs, moment)
    for state in states:
        if state.would_fire:
            try:
                return _fire(database, state.rule, moment)
            except (ProblemError, IntegrityError) as error:  # Another worker was quicker.
                log.info("Trigger %s did not fire: %s", state.rule.name, error)
    return []


def _fire(database: Database, rule: Rule, at: datetime) -> list[Firing]:
    """Raises what `start_run` raises, and IntegrityError; nothing is noted then."""
    with database.session() as session:
        row = locked(session, rule.name)
        chosen = chosen_of(rule, row)
        if not chosen.enabled or rests_until(chosen, at):  # Changed since it was looked at.
            return []
        run = start_run(session, mode="fast", started_by=f"trigger:{rule.name}", options={})
        row.last_fired_at, row.last_run_id = at, run.id
    log.info("Trigger %s started run %s.", rule.name, run.id)
    return [Firing(rule.name, run.id)]


def change(session: Session, name: str, settings: dict[str, Any], at: datetime) -> None:
    """Set any of enabled, threshold, cooldown_hours and schedule; None is the default again.

    Raises UnknownTriggerError or BadTriggerSettingError, and changes nothing then.
    """
    rule = RULES.get(name)
    if rule is None:
        raise UnknownTriggerError(name, RULES)
    _verify(rule, settings)
    row = locked(session, name)
    if "schedule" in settings and settings["schedule"] != row.schedule:
        row.scheduled_at = at
    for field, value in settings.items():
        setattr(row, field, value)


def _verify(rule: Rule, settings: dict[str, Any]) -> None:
    if not rule.is_automatic:
        raise BadTriggerSettingError("This trigger has nothing to set: a person is what fires it.")
    threshold, cooldown = settings.get("threshold"), settings.get("cooldown_hours")
    if threshold is not None and rule.threshold is None:
        raise BadTriggerSettingError(f"Trigger '{rule.name}' has no threshold. Leave it out.")
    if threshold is not None and not rule.lowest <= threshold <= rule.highest:
        raise BadTriggerSettingError(
            f"threshold must lie between {rule.lowest:g} and {rule.highest:g} ({rule.unit})."
        )
    if cooldown is not None and not LEAST_COOLDOWN <= cooldown <= LONGEST_COOLDOWN:
        raise BadTriggerSettingError(
            f"cooldown_hours must lie between {LEAST_COOLDOWN} and {LONGEST_COOLDOWN}."
        )
    if settings.get("schedule") is not None and not rule.has_schedule:
        raise BadTriggerSettingError(
            f"Trigger '{rule.name}' has no schedule; trigger 'schedule' has."
        )
