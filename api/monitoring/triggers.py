"""How each trigger stands, firing the one that asks for a retraining, and setting them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError, ProblemError
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.trigger_rules import (
    RULES,
    Rule,
    TriggerConfig,
    TriggerContext,
    TriggerResult,
    read_schedule,
)
from api.registry import repository as models
from api.retraining import repository as runs
from api.retraining.plan import CatalogDiff, make_plan
from api.retraining.service import create_run
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables import RunRow, TriggerRow

LEAST_COOLDOWN, LONGEST_COOLDOWN = 1, 24 * 365
log = logging.getLogger(__name__)


class UnknownTriggerError(NotFoundError):
    code = "unknown-trigger"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no trigger '{name[:40]}'. There are: {', '.join(RULES)}.")


class BadTriggerSettingError(ConflictError):
    """It would do for another trigger."""

    code = "bad-trigger-setting"


def _locked(session: Session, name: str) -> TriggerRow:
    """The row of a trigger, made where there is none; nobody else changes it meanwhile.

    Raises IntegrityError where another process makes it at the same moment.
    """
    row = session.get(TriggerRow, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = TriggerRow(name=name)
        session.add(row)
        session.flush()
    return row


@dataclass(frozen=True)
class TriggerState:
    """One trigger now. `reason` says why it would fire, or why not."""

    rule: Rule
    chosen: TriggerConfig
    value: float | None
    would_fire: bool
    reason: str


def trigger_states(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> list[TriggerState]:
    """All triggers. Takes some tenths of a second, for the drift."""
    context = _context(session, settings, blobs, at)
    stored = {row.name: row for row in session.scalars(select(TriggerRow))}
    busy = runs.active(session) is not None
    states = []
    for name, rule in RULES.items():
        chosen = config_of(rule, stored.get(name))
        result = rule.read(context, chosen) if context else TriggerResult("No model serves yet.")
        hindrance = _obstacle(rule, chosen, result, at) or _waiting_for(context, busy)
        reason = hindrance or result.sentence
        states.append(TriggerState(rule, chosen, result.value, not hindrance, reason))
    return states


def config_of(rule: Rule, row: TriggerRow | None) -> TriggerConfig:
    """What applies: what people set, or else the rule's defaults."""
    stored = row or TriggerRow(name=rule.name)
    cooldown = stored.cooldown_hours
    return TriggerConfig(
        enabled=rule.is_automatic if stored.enabled is None else stored.enabled,
        threshold=rule.threshold if stored.threshold is None else stored.threshold,
        cooldown_hours=rule.cooldown_hours if cooldown is None else cooldown,
        schedule=read_schedule(stored.schedule),
        scheduled_at=stored.scheduled_at,
        last_fired_at=stored.last_fired_at,
        last_run_id=stored.last_run_id,
    )


def cooldown_end(chosen: TriggerConfig, at: datetime) -> datetime | None:
    """The end of the cool-down, where it is not over."""
    if chosen.last_fired_at is None:
        return None
    until = chosen.last_fired_at + timedelta(hours=chosen.cooldown_hours)
    return until if until > at else None


def _obstacle(rule: Rule, chosen: TriggerConfig, result: TriggerResult, at: datetime) -> str:
    """Why it would not fire now; empty where nothing of its own is in the way."""
    if rule.is_automatic and not chosen.enabled:
        return f"It is switched off. {result.sentence}"
    if not result.met:
        return result.sentence
    if until := cooldown_end(chosen, at):
        return f"It fired lately and rests until {until:%Y-%m-%d %H:%M} UTC. {result.sentence}"
    return ""


def _waiting_for(context: TriggerContext | None, busy: bool) -> str:
    """What any trigger waits for that would fire otherwise; empty if nothing."""
    if busy:
        return "It waits: a run is queued or running."
    if context and not context.catalog_diff().any:
        return "It waits for something to learn: upload or correct photographs."
    return ""


def _context(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> TriggerContext | None:
    version = models.champion(session)
    if version is None:
        return None

    @cache
    def drift() -> Sequence[DriftFigure]:
        try:
            return current_drift(session, settings, blobs, version, at)
        except Exception:  # The store is away, in a way of its own; the other rules can be asked.
            log.warning("The drift cannot be worked out", exc_info=True)
            return []

    @cache
    def catalog_diff() -> CatalogDiff:
        try:
            return make_plan(session, blobs, settings.model_cache).catalog_diff
        except Exception:  # As above.
            log.warning("What is new cannot be worked out", exc_info=True)
            return CatalogDiff({}, 0, 0)

    return TriggerContext(session, models.model(session, version), drift, catalog_diff, at)


def check(
    database: Database, blobs: Blobs, settings: Settings, at: datetime | None = None
) -> RunRow | None:
    """Fire the first trigger that asks for a retraining; to be called once a minute.

    A firing queues a fast run, which this gives, and notes when it did, in one transaction. Raises
    what the database raises when it is away.
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
    return None


def _fire(database: Database, rule: Rule, at: datetime) -> RunRow | None:
    """Raises what `create_run` raises, and IntegrityError; nothing is noted then."""
    with database.session() as session:
        row = _locked(session, rule.name)
        chosen = config_of(rule, row)
        if not chosen.enabled or cooldown_end(chosen, at):  # Changed since it was looked at.
            return None
        run = create_run(session, mode="fast", started_by=f"trigger:{rule.name}", options={})
        row.last_fired_at, row.last_run_id = at, run.id
    log.info("Trigger %s started run %s.", rule.name, run.id)
    return run


def change(session: Session, name: str, settings: dict[str, Any], at: datetime) -> None:
    """Set any of enabled, threshold, cooldown_hours and schedule; None is the default again.

    Raises UnknownTriggerError or BadTriggerSettingError, and changes nothing then.
    """
    rule = RULES.get(name)
    if rule is None:
        raise UnknownTriggerError(name)
    _verify(rule, settings)
    row = _locked(session, name)
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
