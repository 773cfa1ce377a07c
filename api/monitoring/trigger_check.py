"""Checks the triggers once a minute in a worker: suggests runs, or starts them."""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from api.core.errors import ProblemError
from api.monitoring.suggestions import active_suggestions, lock_trigger, suggest, withdraw
from api.monitoring.trigger_rules import record_run
from api.monitoring.triggers import (
    TriggerState,
    config_of,
    cooldown_end,
    trigger_states,
)
from api.retraining.service import create_run
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.models import RunRow

# The options of a run in the mode "start": its version waits for a person.
WAITS: dict[str, Any] = {"promote": "person"}
log = logging.getLogger(__name__)


def check_triggers(
    database: Database, blobs: Blobs, settings: Settings, at: datetime | None = None
) -> RunRow | None:
    """Let each trigger whose condition holds do what its mode says. Call it once a minute.

    The first one that starts a run ends the check, and the run is returned. Raises database errors.
    """
    moment = at or now()
    with database.reading() as session:  # Slow, so without a write lock.
        states = trigger_states(session, settings, blobs, moment)
    for state in states:
        try:
            if state.is_stale:
                with database.session() as session:
                    withdraw(session, state.rule.name, moment)
            elif not state.would_fire:
                continue
            elif state.config.mode == "suggest":
                _suggest(database, settings, state, moment)
            elif run := _fire(database, settings, state, moment):
                return run
        except (ProblemError, IntegrityError) as error:  # Another worker was faster.
            log.info("Trigger %s did not fire: %s", state.rule.name, error)
    return None


def _suggest(database: Database, settings: Settings, state: TriggerState, at: datetime) -> None:
    """Make a suggestion, unless something has changed since it was evaluated."""
    with database.session() as session:
        trigger = lock_trigger(session, state.rule.name)
        config = config_of(session, state.rule, trigger, settings.trigger_mode)
        active = active_suggestions(session).get(trigger.name)
        is_new = active is None or active.state == "dismissed"
        # The row may have changed since it was evaluated.
        waits = cooldown_end(config, at) or config.has_had(state.photos)
        if config.mode != "suggest" or waits or not is_new:
            return
        row = suggest(
            session,
            trigger,
            state.result,
            version=state.version,
            threshold=config.threshold,
            at=at,
        )
    log.info("Trigger %s suggests a retraining: %s", row.trigger_name, row.reason)


def _fire(
    database: Database, settings: Settings, state: TriggerState, at: datetime
) -> RunRow | None:
    """Create a fast run and record the time, in one transaction.

    Raises what `create_run` raises, and records nothing then.
    """
    rule = state.rule
    with database.session() as session:
        row = lock_trigger(session, rule.name)
        config = config_of(session, rule, row, settings.trigger_mode)
        # The row may have changed since it was evaluated.
        waits = cooldown_end(config, at) or config.has_had(state.photos)
        if config.mode in ("off", "suggest") or waits:
            return None
        options = {} if config.mode == "start_and_promote" else WAITS
        run = create_run(
            session, mode="fast", started_by=f"trigger:{rule.name}", options=dict(options)
        )
        record_run(session, row, run, state.photos or None, at)
    log.info("Trigger %s started run %s.", rule.name, run.id)
    return run
