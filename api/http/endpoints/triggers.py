"""`/triggers` and `/suggestions`."""

from datetime import datetime
from http import HTTPStatus
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import BlobsDep, DatabaseDep, QueueDep, ReadingDep, SessionDep, SettingsDep
from api.http.problems import responses
from api.monitoring import suggestions
from api.monitoring.trigger_rules import RULES, Schedule
from api.monitoring.triggers import (
    MAX_COOLDOWN_HOURS,
    MIN_COOLDOWN_HOURS,
    TriggerState,
    change_settings,
    trigger_states,
)
from api.retraining.schemas import RetrainStarted
from api.settings import TriggerMode
from api.storage.db import now
from api.storage.trigger_tables import SuggestionRow, SuggestionState

router = APIRouter(tags=["monitoring"])


class Suggestion(BaseModel):
    """A retraining that a trigger suggests."""

    suggestion_id: str
    trigger: str
    state: SuggestionState = Field(
        description="withdrawn: what it said held no longer, or its trigger got another mode."
    )
    reason: str
    value: float | None = Field(description="Of the trigger, when it was made; so is threshold.")
    threshold: float | None
    unit: str = Field(description="Of value and threshold.")
    model_version: str = Field(description="The version in use then.")
    created_at: datetime
    ended_at: datetime | None
    run_id: str | None = Field(description="The run that it started, if it was accepted.")

    @classmethod
    def of(cls, row: SuggestionRow) -> Self:
        return cls(
            suggestion_id=row.id,
            trigger=row.trigger_name,
            state=row.state,
            reason=row.reason,
            value=row.value,
            threshold=row.threshold,
            unit=RULES[row.trigger_name].unit,
            model_version=row.version,
            created_at=row.created_at,
            ended_at=row.ended_at,
            run_id=row.run_id,
        )


class Suggestions(BaseModel):
    suggestions: list[Suggestion]


class Trigger(BaseModel):
    name: str
    description: str
    unit: str = Field(description="Of value and threshold.")
    value: float | None = Field(description="Null where there is nothing, or too little, to see.")
    threshold: float | None = Field(description="It fires above this; null where it has none.")
    lowest: float | None = Field(description="The bounds of the threshold.")
    highest: float | None
    mode: TriggerMode = Field(description="What it does when its condition holds.")
    enabled: bool = Field(description="Whether mode is not off.")
    cooldown_hours: float = Field(description="Minimum hours between two firings.")
    schedule: Schedule | None = Field(description="Null where it has none.")
    last_fired_at: datetime | None
    last_run_id: str | None
    would_fire: bool = Field(description="At the next check, it suggests or starts a run.")
    reason: str = Field(description="Why it would, or why not.")
    suggestion: Suggestion | None = Field(description="The one that is open.")

    @classmethod
    def of(cls, state: TriggerState) -> Self:
        rule, config, suggestion = state.rule, state.config, state.suggestion
        bounded = rule.threshold is not None
        return cls(
            name=rule.name,
            description=rule.description,
            unit=rule.unit,
            value=state.result.value,
            threshold=config.threshold,
            lowest=rule.lowest if bounded else None,
            highest=rule.highest if bounded else None,
            mode=config.mode,
            enabled=config.mode != "off",
            cooldown_hours=config.cooldown_hours,
            schedule=config.schedule if rule.has_schedule else None,
            last_fired_at=config.last_fired_at,
            last_run_id=config.last_run_id,
            would_fire=state.would_fire,
            reason=state.reason,
            suggestion=Suggestion.of(suggestion)
            if suggestion and suggestion.state == "open"
            else None,
        )


class Triggers(BaseModel):
    triggers: list[Trigger]


class TriggerChange(BaseModel):
    """Omitted fields stay as they are; null restores the default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: TriggerMode | None = Field(
        default=None,
        description="off; suggest: people are asked; start: a run starts, and what it makes waits "
        "for a person; start_and_promote: it is put in use if it passes the gate, where "
        "RIPELINE_PROMOTE lets it.",
    )
    enabled: bool | None = Field(
        default=None,
        description="In place of mode. False: off; true, if it was off: the default, or suggest "
        "where that is off.",
    )
    threshold: float | None = None
    cooldown_hours: float | None = Field(default=None, ge=MIN_COOLDOWN_HOURS, le=MAX_COOLDOWN_HOURS)
    schedule: Schedule | None = None


@router.get("/triggers", summary="Triggers", responses=responses(503))
def triggers(session: ReadingDep, settings: SettingsDep, blobs: BlobsDep) -> Triggers:
    states = trigger_states(session, settings, blobs, now())
    return Triggers(triggers=[Trigger.of(state) for state in states])


@router.put(
    "/triggers/{name}", summary="Set a trigger", responses=responses(404, 409, 422, 503, 507)
)
def set_trigger(
    database: DatabaseDep, settings: SettingsDep, blobs: BlobsDep, name: str, change: TriggerChange
) -> Trigger:
    with database.session() as session:
        changes = change.model_dump(exclude_unset=True)
        change_settings(session, name, changes, settings.trigger_mode, now())
    with database.reading() as session:
        states = trigger_states(session, settings, blobs, now())
    return next(Trigger.of(state) for state in states if state.rule.name == name)


@router.get("/suggestions", summary="Suggested retrainings", responses=responses(503))
def list_suggestions(session: ReadingDep) -> Suggestions:
    """Those that wait for a person, the oldest first: at most one a trigger."""
    rows = suggestions.open_suggestions(session)
    return Suggestions(suggestions=[Suggestion.of(row) for row in rows])


@router.post(
    "/suggestions/{suggestion_id}/accept",
    summary="Start a suggested retraining",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(404, 409, 503, 507),
)
def accept_suggestion(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    queue: QueueDep,
    suggestion_id: str,
) -> RetrainStarted:
    """Start a fast run, as `POST /retrain` does."""
    run = suggestions.accept(database, blobs, settings, queue, suggestion_id)
    return RetrainStarted(message=f"Run {run.id} is queued.", run_id=run.id, timestamp=now())


@router.post(
    "/suggestions/{suggestion_id}/dismiss",
    summary="Dismiss a suggested retraining",
    responses=responses(404, 409, 503, 507),
)
def dismiss_suggestion(session: SessionDep, suggestion_id: str) -> Suggestion:
    """Its trigger suggests nothing until something new holds.

    That is: another version is in use, its condition has not held meanwhile, its value has grown by
    the threshold once more, or the next time of the schedule is due.
    """
    return Suggestion.of(suggestions.dismiss(session, suggestion_id, now()))
