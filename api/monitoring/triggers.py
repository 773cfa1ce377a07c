"""Triggers of retraining: their state, their settings, and starting the runs they ask for."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

MIN_COOLDOWN_HOURS, MAX_COOLDOWN_HOURS = 1, 24 * 365
# Clocks of workers differ by less.
CLOCK_TOLERANCE = timedelta(hours=1)
log = logging.getLogger(__name__)


class UnknownTriggerError(NotFoundError):
    code = "unknown-trigger"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no trigger '{name[:40]}'. There are: {', '.join(RULES)}.")


class BadTriggerSettingError(ConflictError):
    """A valid setting, but not for this trigger."""

    code = "bad-trigger-setting"


@dataclass(frozen=True)
class TriggerState:
    """`reason` says why the trigger would start a run, or why not."""

    rule: Rule
    config: TriggerConfig
    value: float | None
    would_fire: bool
    reason: str


def trigger_states(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> list[TriggerState]:
    """All triggers. Takes some tenths of a second for the drift."""
    context = _context(session, settings, blobs, at)
    stored = {row.name: row for row in session.scalars(select(TriggerRow))}
    common_obstacle = _common_obstacle(context, runs.active(session) is not None)
    nothing_serves = TriggerResult("No model serves yet.")
    states = []
    for name, rule in RULES.items():
        config = config_of(rule, stored.get(name))
        result = rule.evaluate(context, config) if context else nothing_serves
        obstacle = _own_obstacle(rule, config, result, at) or common_obstacle
        reason = obstacle or result.sentence
        states.append(TriggerState(rule, config, result.value, not obstacle, reason))
    return states


def config_of(rule: Rule, row: TriggerRow | None) -> TriggerConfig:
    """User settings, or else the rule's defaults."""
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


def _cooldown_end(config: TriggerConfig, at: datetime) -> datetime | None:
    """End of the cooldown; None if it is over."""
    # It fired in the future if the clock was wrong then; waiting for that could take years.
    if config.last_fired_at is None or config.last_fired_at > at + CLOCK_TOLERANCE:
        return None
    end = config.last_fired_at + timedelta(hours=config.cooldown_hours)
    return end if end > at else None


def _own_obstacle(rule: Rule, config: TriggerConfig, result: TriggerResult, at: datetime) -> str:
    """Why this trigger does not start a run; empty if it would."""
    if rule.is_automatic and not config.enabled:
        return f"Switched off. {result.sentence}"
    if not result.met:
        return result.sentence
    if end := _cooldown_end(config, at):
        return f"Cooling down until {end:%Y-%m-%d %H:%M} UTC. {result.sentence}"
    return ""


def _common_obstacle(context: TriggerContext | None, is_run_active: bool) -> str:
    """Why no trigger can start a run; empty if one can."""
    if is_run_active:
        return "Waiting: a run is queued or running."
    if context and not context.catalog_diff.any:
        return "Waiting for new photos: upload or correct some."
    return ""


def _context(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> TriggerContext | None:
    version = models.champion(session)
    if version is None:
        return None
    drift: Sequence[DriftFigure] = ()
    catalog_diff = CatalogDiff({}, 0, 0)
    # Each blob store raises its own errors; the other rules still work.
    try:
        drift = current_drift(session, settings, blobs, version, at)
    except Exception:
        log.warning("Drift cannot be computed", exc_info=True)
    try:
        catalog_diff = make_plan(session, blobs, settings).catalog_diff
    except Exception:
        log.warning("The changes of the catalog cannot be computed", exc_info=True)
    return TriggerContext(session, models.get_model(session, version), drift, catalog_diff, at)


def check_triggers(
    database: Database, blobs: Blobs, settings: Settings, at: datetime | None = None
) -> RunRow | None:
    """Fire the first trigger that wants a retraining. Call it once a minute.

    Firing creates a fast run, which is returned, and records the time, in one transaction. Raises
    errors of the database.
    """
    moment = at or now()
    with database.reading() as session:  # Slow, so without a write lock.
        states = trigger_states(session, settings, blobs, moment)
    for state in states:
        if state.would_fire:
            try:
                return _fire(database, state.rule, moment)
            except (ProblemError, IntegrityError) as error:  # Another worker was faster.
                log.info("Trigger %s did not fire: %s", state.rule.name, error)
    return None


def _fire(database: Database, rule: Rule, at: datetime) -> RunRow | None:
    """Raises IntegrityError and what `create_run` raises; then nothing is recorded."""
    with database.session() as session:
        row = _lock_row(session, rule.name)
        config = config_of(rule, row)
        if not config.enabled or _cooldown_end(config, at):  # Changed since it was evaluated.
            return None
        run = create_run(session, mode="fast", started_by=f"trigger:{rule.name}", options={})
        row.last_fired_at, row.last_run_id = at, run.id
    log.info("Trigger %s started run %s.", rule.name, run.id)
    return run


def change_settings(session: Session, name: str, settings: dict[str, Any], at: datetime) -> None:
    """Set any of enabled, threshold, cooldown_hours and schedule; None restores the default.

    Raises UnknownTriggerError or BadTriggerSettingError, and changes nothing then.
    """
    rule = RULES.get(name)
    if rule is None:
        raise UnknownTriggerError(name)
    _validate(rule, settings)
    row = _lock_row(session, name)
    if "schedule" in settings and settings["schedule"] != row.schedule:
        row.scheduled_at = at
    for field, value in settings.items():
        setattr(row, field, value)


def _lock_row(session: Session, name: str) -> TriggerRow:
    """The locked row of a trigger, inserted if it is missing.

    Raises IntegrityError if another process inserts it at the same moment.
    """
    row = session.get(TriggerRow, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = TriggerRow(name=name)
        session.add(row)
        session.flush()
    return row


def _validate(rule: Rule, settings: dict[str, Any]) -> None:
    if not rule.is_automatic:
        raise BadTriggerSettingError("This trigger has nothing to set: a person is what fires it.")
    threshold, cooldown = settings.get("threshold"), settings.get("cooldown_hours")
    if threshold is not None and rule.threshold is None:
        raise BadTriggerSettingError(f"Trigger '{rule.name}' has no threshold. Leave it out.")
    if threshold is not None and not rule.lowest <= threshold <= rule.highest:
        raise BadTriggerSettingError(
            f"threshold must lie between {rule.lowest:g} and {rule.highest:g} ({rule.unit})."
        )
    if cooldown is not None and not MIN_COOLDOWN_HOURS <= cooldown <= MAX_COOLDOWN_HOURS:
        raise BadTriggerSettingError(
            f"cooldown_hours must lie between {MIN_COOLDOWN_HOURS} and {MAX_COOLDOWN_HOURS}."
        )
    if settings.get("schedule") is not None and not rule.has_schedule:
        raise BadTriggerSettingError(
            f"Trigger '{rule.name}' has no schedule; trigger 'schedule' has."
        )
