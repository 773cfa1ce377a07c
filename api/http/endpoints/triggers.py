"""`/triggers` and `/suggestions`."""

from datetime import datetime
from http import HTTPStatus
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import BlobsDep, DatabaseDep, QueueDep, ReadingDep, SessionDep, SettingsDep
from api.http.problems import responses
from api.http.query import CheckedRoute
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
from api.storage.tables.triggers import SuggestionRow, SuggestionState

router = APIRouter(route_class=CheckedRoute, tags=["monitoring"])


class Suggestion(BaseModel):
    """A retraining run suggested by a trigger."""

    suggestion_id: str
    trigger: str = Field(description="Name of the trigger.")
    state: SuggestionState = Field(
        description="State of the suggestion. withdrawn: its condition no longer holds, or the "
        "mode of its trigger was changed."
    )
    reason: str = Field(description="What the trigger had measured, in English.")
    value: float | None = Field(
        description="Value measured by the trigger when the suggestion was made; null if it has "
        "none."
    )
    threshold: float | None = Field(
        description="Threshold of the trigger when the suggestion was made; null if it has none."
    )
    unit: str = Field(description="Unit of `value` and `threshold`.")
    model_version: str = Field(description="Version in use when the suggestion was made.")
    created_at: datetime = Field(description="When the suggestion was made, in UTC.")
    ended_at: datetime | None = Field(
        description="When it was accepted, dismissed or withdrawn, in UTC; null while it is open."
    )
    run_id: str | None = Field(
        description="ID of the run that was started when the suggestion was accepted; null "
        "otherwise."
    )

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
    description: str = Field(description="When its condition holds, in English.")
    unit: str = Field(description="Unit of `value` and `threshold`.")
    value: float | None = Field(
        description="Value measured now; null if there is nothing, or not enough, to measure."
    )
    threshold: float | None = Field(
        description="Values above the threshold meet the condition; null if the trigger has no "
        "threshold."
    )
    lowest: float | None = Field(
        description="Lowest threshold that can be set; null if the trigger has no threshold."
    )
    highest: float | None = Field(
        description="Highest threshold that can be set; null if the trigger has no threshold."
    )
    mode: TriggerMode = Field(description="What the trigger does when its condition holds.")
    enabled: bool = Field(description="Whether `mode` is not off.")
    cooldown_hours: float = Field(description="Minimum time between two firings, in hours.")
    schedule: Schedule | None = Field(description="Schedule of the trigger; null if it has none.")
    last_fired_at: datetime | None = Field(
        description="When the trigger last started a run or a suggestion of it was accepted, in "
        "UTC; null if never."
    )
    last_run_id: str | None = Field(
        description="ID of the run that this started; null if there is none."
    )
    would_fire: bool = Field(
        description="Whether the trigger would suggest or start a run at the next check."
    )
    reason: str = Field(description="Why the trigger would fire, or why not.")
    suggestion: Suggestion | None = Field(
        description="Open suggestion of the trigger; null if there is none."
    )

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
    """Changes to the settings of a trigger. Omitted fields stay unchanged; null restores the
    default.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    mode: TriggerMode | None = Field(
        default=None,
        description="off: nothing happens; suggest: a run is suggested to users; start: a run "
        "starts, and its version waits to be promoted by a person; start_and_promote: a run "
        "starts, and its version is promoted if it passes the promotion gate and RIPELINE_PROMOTE "
        "permits.",
    )
    enabled: bool | None = Field(
        default=None,
        description="Alternative to `mode`. false: off; true: if the trigger is off, its default "
        "mode, or suggest if that is off.",
    )
    threshold: float | None = Field(
        default=None, description="New threshold, from `lowest` to `highest` of the trigger."
    )
    cooldown_hours: float | None = Field(
        default=None,
        ge=MIN_COOLDOWN_HOURS,
        le=MAX_COOLDOWN_HOURS,
        description="Minimum time between two firings, in hours.",
    )
    schedule: Schedule | None = Field(
        default=None,
        description="weekly: Mondays at 03:00 UTC; monthly: on the first of the month at 03:00 "
        "UTC. Only for the trigger `schedule`.",
    )


@router.get("/triggers", summary="List triggers", responses=responses(503))
def triggers(session: ReadingDep, settings: SettingsDep, blobs: BlobsDep) -> Triggers:
    """List the triggers with their settings, current values and open suggestions."""
    states = trigger_states(session, settings, blobs, now())
    return Triggers(triggers=[Trigger.of(state) for state in states])


@router.put(
    "/triggers/{name}", summary="Update a trigger", responses=responses(404, 409, 422, 503, 507)
)
def set_trigger(
    database: DatabaseDep, settings: SettingsDep, blobs: BlobsDep, name: str, change: TriggerChange
) -> Trigger:
    """Update the settings of a trigger."""
    with database.session() as session:
        changes = change.model_dump(exclude_unset=True)
        change_settings(session, name, changes, settings.trigger_mode, now())
    with database.reading() as session:
        states = trigger_states(session, settings, blobs, now())
    return next(Trigger.of(state) for state in states if state.rule.name == name)


@router.get("/suggestions", summary="List suggested retraining runs", responses=responses(503))
def list_suggestions(session: ReadingDep) -> Suggestions:
    """List the open suggestions, oldest first. Each trigger has at most one."""
    rows = suggestions.open_suggestions(session)
    return Suggestions(suggestions=[Suggestion.of(row) for row in rows])


@router.post(
    "/suggestions/{suggestion_id}/accept",
    summary="Accept a suggested retraining run",
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
    """Accept a suggestion and start a fast run, as `POST /retrain` does."""
    run = suggestions.accept(database, blobs, settings, queue, suggestion_id)
    return RetrainStarted(message=f"Run {run.id} is queued.", run_id=run.id, timestamp=now())


@router.post(
    "/suggestions/{suggestion_id}/dismiss",
    summary="Dismiss a suggested retraining run",
    responses=responses(404, 409, 503, 507),
)
def dismiss_suggestion(session: SessionDep, suggestion_id: str) -> Suggestion:
    """Dismiss a suggestion. Its trigger makes no further suggestion until something changes.

    This is the case once another version is in use, its condition has stopped holding in the
    meantime, its value has risen by the threshold again, or the next time of its schedule is due.
    """
    return Suggestion.of(suggestions.dismiss(session, suggestion_id, now()))
