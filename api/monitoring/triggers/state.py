"""How each trigger stands now: its value, and whether it would fire."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.monitoring.drift.current import current_drift
from api.monitoring.drift.figures import Figure
from api.monitoring.tables import TriggerRow
from api.monitoring.triggers.repository import rows
from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene, read_schedule
from api.monitoring.triggers.rules import RULES
from api.registry import repository as models
from api.retrain import repository as runs
from api.retrain.news import News
from api.retrain.planning import plan
from api.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TriggerState:
    """One trigger now. `reason` says why it would fire, or why not."""

    rule: Rule
    chosen: Chosen
    value: float | None
    would_fire: bool
    reason: str


def trigger_states(
    session: Session, settings: Settings, blobs: Blobs, at: datetime
) -> list[TriggerState]:
    """All triggers. Takes some tenths of a second, for the drift."""
    scene = _scene(session, settings, blobs, at)
    stored = rows(session)
    busy = runs.active(session) is not None
    states = []
    for name, rule in RULES.items():
        chosen = chosen_of(rule, stored.get(name))
        reading = (
            rule.read(scene, chosen) if scene else Reading(None, False, "No model serves yet.")
        )
        hindrance = _hindrance(rule, chosen, reading, at) or _waits(scene, busy)
        reason = hindrance or reading.sentence
        states.append(TriggerState(rule, chosen, reading.value, not hindrance, reason))
    return states


def chosen_of(rule: Rule, row: TriggerRow | None) -> Chosen:
    """What applies: what people set, or else the rule's defaults."""
    stored = row or TriggerRow(name=rule.name)
    cooldown = stored.cooldown_hours
    return Chosen(
        enabled=rule.is_automatic if stored.enabled is None else stored.enabled,
        threshold=rule.threshold if stored.threshold is None else stored.threshold,
        cooldown_hours=rule.cooldown_hours if cooldown is None else cooldown,
        schedule=read_schedule(stored.schedule),
        scheduled_at=stored.scheduled_at,
        last_fired_at=stored.last_fired_at,
        last_run_id=stored.last_run_id,
    )


def rests_until(chosen: Chosen, at: datetime) -> datetime | None:
    """The end of the cool-down, where it is not over."""
    if chosen.last_fired_at is None:
        return None
    until = chosen.last_fired_at + timedelta(hours=chosen.cooldown_hours)
    return until if until > at else None


def _hindrance(rule: Rule, chosen: Chosen, reading: Reading, at: datetime) -> str:
    """Why it would not fire now; empty where nothing of its own is in the way."""
    if rule.is_automatic and not chosen.enabled:
        return f"It is switched off. {reading.sentence}"
    if not reading.met:
        return reading.sentence
    if until := rests_until(chosen, at):
        return f"It fired lately and rests until {until:%Y-%m-%d %H:%M} UTC. {reading.sentence}"
    return ""


def _waits(scene: Scene | None, busy: bool) -> str:
    """What any trigger waits for that would fire otherwise; empty if nothing."""
    if busy:
        return "It waits: a run is queued or running."
    if scene and not scene.news().any:
        return "It waits for something to learn: upload or correct photographs."
    return ""


def _scene(session: Session, settings: Settings, blobs: Blobs, at: datetime) -> Scene | None:
    version = models.champion(session)
    if version is None:
        return None

    @cache
    def drift() -> Sequence[Figure]:
        try:
            return current_drift(session, settings, blobs, version, at)
        except Exception:  # The store is away, in a way of its own; the other rules can be asked.
            log.warning("The drift cannot be worked out", exc_info=True)
            return []

    @cache
    def news() -> News:
        try:
            return plan(session, blobs, settings.model_cache).news
        except Exception:  # As above.
            log.warning("What is new cannot be worked out", exc_info=True)
            return News({}, 0, 0)

    return Scene(session, models.model(session, version), drift, news, at)
