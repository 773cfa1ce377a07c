"""Triggers of retraining: their state and their settings."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ConflictError, NotFoundError, ProblemError
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.suggestions import (
    active_suggestions,
    is_outdated,
    lock_trigger,
    withdraw,
)
from api.monitoring.trigger_rules import (
    CLOCK_TOLERANCE,
    MAX_ATTEMPTS,
    RULES,
    Rule,
    TriggerConfig,
    TriggerContext,
    TriggerResult,
    ended_without_result,
    read_schedule,
)
from api.registry import repository as models
from api.retraining import repository as runs
from api.retraining.plan import CatalogDiff, make_plan
from api.settings import Settings, TriggerMode
from api.storage.blobs import Blobs
from api.storage.tables.triggers import SuggestionRow, TriggerRow

MIN_COOLDOWN_HOURS, MAX_COOLDOWN_HOURS = 1, 24 * 365
_ANSWERS = {
    "open": "Suggested, and waits for a person.",
    "dismissed": "Dismissed, and there has been nothing new since.",
}
UNREADABLE = (
    "the store, the files of the current version or the catalog cannot be read now. The service "
    "log says why."
)
SAME_PHOTOS = (
    "Waiting for new photos: the last run of this trigger had the same ones. Upload or correct "
    "some, or start a run yourself."
)
NO_RESULT = (
    f"Waiting for new photos: the last {MAX_ATTEMPTS} runs of this trigger failed or were "
    "interrupted, and the Retrain page and GET /runs say why. Fix that and start a run yourself, "
    "or upload or correct some photos."
)
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
    """`reason` says why the trigger would suggest or start a run, or why not.

    `version`: the champion; empty without one. `photos`: as in `TriggerContext`.
    `suggestion`: open, or dismissed and not outdated; `is_stale`: it no longer holds.
    """

    rule: Rule
    config: TriggerConfig
    result: TriggerResult
    version: str
    photos: str
    would_fire: bool
    reason: str
    suggestion: SuggestionRow | None
    is_stale: bool


def trigger_states(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> list[TriggerState]:
    """All triggers. The drift takes some tenths of a second."""
    context = _context(session, settings, blobs, at)
    version = context.champion.version if context else ""
    photos = context.photos if context else ""
    stored = {row.name: row for row in session.scalars(select(TriggerRow))}
    suggestions = active_suggestions(session)
    common_obstacle = _common_obstacle(context, runs.active(session) is not None)
    nothing_serves = TriggerResult("No model serves yet.")
    states = []
    for name, rule in RULES.items():
        config = config_of(session, rule, stored.get(name), settings.trigger_mode)
        result = rule.evaluate(context, config) if context else nothing_serves
        suggestion = suggestions.get(name)
        if suggestion and suggestion.state == "dismissed":
            suggestion = None if is_outdated(suggestion, result, version) else suggestion
        obstacle = _own_obstacle(rule, config, result, suggestion, at) or common_obstacle
        if not obstacle and config.has_had(photos):
            held_back = NO_RESULT if config.lacks_result else SAME_PHOTOS
            obstacle = f"{held_back} {result.sentence}"
        states.append(
            TriggerState(
                rule,
                config,
                result,
                version,
                photos,
                would_fire=not obstacle,
                reason=obstacle or result.sentence,
                suggestion=suggestion,
                is_stale=suggestion is not None and _is_stale(suggestion, config, result, context),
            )
        )
    return states


def config_of(
    session: Session, rule: Rule, row: TriggerRow | None, default: TriggerMode
) -> TriggerConfig:
    """User settings, or else the defaults."""
    stored = row or TriggerRow(name=rule.name)
    cooldown = stored.cooldown_hours
    return TriggerConfig(
        mode=(stored.mode or default) if rule.is_automatic else "off",
        threshold=rule.threshold if stored.threshold is None else stored.threshold,
        cooldown_hours=rule.cooldown_hours if cooldown is None else cooldown,
        schedule=read_schedule(stored.schedule),
        scheduled_at=stored.scheduled_at,
        last_fired_at=stored.last_fired_at,
        last_run_id=stored.last_run_id,
        last_photos=stored.last_photos,
        attempts=stored.attempts or 0,
        lacks_result=ended_without_result(session, stored),
    )


def cooldown_end(config: TriggerConfig, at: datetime) -> datetime | None:
    """End of the cooldown; None if it is over."""
    # The time lies ahead if a clock was wrong then; waiting for it could take years.
    if config.last_fired_at is None or config.last_fired_at > at + CLOCK_TOLERANCE:
        return None
    end = config.last_fired_at + timedelta(hours=config.cooldown_hours)
    return end if end > at else None


def _own_obstacle(
    rule: Rule,
    config: TriggerConfig,
    result: TriggerResult,
    suggestion: SuggestionRow | None,
    at: datetime,
) -> str:
    """Why this trigger does not suggest or start a run; empty if it would."""
    if rule.is_automatic and config.mode == "off":
        return f"Switched off. {result.sentence}"
    if not result.met:
        return result.sentence
    if end := cooldown_end(config, at):
        return f"Cooling down until {end:%Y-%m-%d %H:%M} UTC. {result.sentence}"
    if config.mode == "suggest" and suggestion:
        return f"{_ANSWERS[suggestion.state]} {result.sentence}"
    return ""


def _is_stale(
    suggestion: SuggestionRow,
    config: TriggerConfig,
    result: TriggerResult,
    context: TriggerContext | None,
) -> bool:
    """Whether a suggestion no longer holds; False if that is unknown."""
    if context is None or context.drift is None or context.catalog_diff is None:
        return False
    return (
        config.mode != "suggest"
        or not result.met
        or not context.catalog_diff.any
        or context.champion.version != suggestion.version
    )


def _common_obstacle(context: TriggerContext | None, is_run_active: bool) -> str:
    """Why no trigger can start a run; empty if one can."""
    if is_run_active:
        return "Waiting: a run is queued or running."
    if context is None:
        return ""
    if context.catalog_diff is None:
        return f"Waiting, as no run could start: {context.problem}"
    if not context.catalog_diff.any:
        return "Waiting for new photos: upload or correct some."
    return ""


def _context(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> TriggerContext | None:
    version = models.champion_version(session)
    if version is None:
        return None
    drift: Sequence[DriftFigure] | None = None
    catalog_diff: CatalogDiff | None = None
    photos = problem = ""
    # Each blob store raises its own errors; the other rules still work.
    try:
        drift = current_drift(session, settings, blobs, version, at)
    except Exception:
        log.warning("Drift cannot be computed", exc_info=True)
    try:
        plan = make_plan(session, blobs, settings)
        catalog_diff, photos = plan.catalog_diff, plan.photos
    except ProblemError as error:
        problem = error.detail
    except Exception:
        problem = UNREADABLE
        log.warning("The changes of the catalog cannot be computed", exc_info=True)
    champion = models.get_model(session, version)
    return TriggerContext(session, champion, drift, catalog_diff, at, photos, problem)


def change_settings(
    session: Session, name: str, changes: dict[str, Any], default: TriggerMode, at: datetime
) -> None:
    """Set any of mode, enabled, threshold, cooldown_hours and schedule; None restores the default.

    `default` is the mode of a trigger that nobody has set. Raises UnknownTriggerError or
    BadTriggerSettingError, and changes nothing then.
    """
    rule = RULES.get(name)
    if rule is None:
        raise UnknownTriggerError(name)
    _validate(rule, changes)
    row = lock_trigger(session, name)
    if "schedule" in changes and changes["schedule"] != row.schedule:
        row.scheduled_at = at
    if "enabled" in changes:
        changes = {**changes, "mode": _mode(changes["enabled"], row.mode, default)}
    if "mode" in changes:
        changes["enabled"] = None if changes["mode"] is None else changes["mode"] != "off"
    for field, value in changes.items():
        setattr(row, field, value)
    if (row.mode or default) != "suggest":
        withdraw(session, name, at)


def _mode(
    enabled: bool | None, mode: TriggerMode | None, default: TriggerMode
) -> TriggerMode | None:
    """The mode that `enabled` asks for: True turns an off trigger to its default, or to suggest."""
    if enabled is None:
        return None
    if not enabled:
        return "off"
    if (mode or default) != "off":
        return mode
    return "suggest" if default == "off" else None


def _validate(rule: Rule, changes: dict[str, Any]) -> None:
    if not rule.is_automatic:
        raise BadTriggerSettingError("This trigger has no settings: only a person fires it.")
    if "mode" in changes and "enabled" in changes:
        raise BadTriggerSettingError("enabled means a mode other than off: send one of the two.")
    threshold, cooldown = changes.get("threshold"), changes.get("cooldown_hours")
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
    if changes.get("schedule") is not None and not rule.has_schedule:
        raise BadTriggerSettingError(
            f"Trigger '{rule.name}' has no schedule; trigger 'schedule' has."
        )
