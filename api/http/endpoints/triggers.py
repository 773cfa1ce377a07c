"""`/triggers`: their state and their settings."""

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep
from api.http.problems import responses
from api.monitoring.trigger_rules import Schedule
from api.monitoring.triggers import (
    MAX_COOLDOWN_HOURS,
    MIN_COOLDOWN_HOURS,
    TriggerState,
    change_settings,
    trigger_states,
)
from api.storage.db import now

router = APIRouter(tags=["monitoring"])


class Trigger(BaseModel):
    name: str
    description: str
    unit: str = Field(description="Of value and threshold.")
    value: float | None = Field(description="Null where there is nothing, or too little, to see.")
    threshold: float | None = Field(description="It fires above this; null where it has none.")
    lowest: float | None = Field(description="The bounds of the threshold.")
    highest: float | None
    enabled: bool
    cooldown_hours: float = Field(description="Minimum hours between two firings.")
    schedule: Schedule | None = Field(description="Null where it has none.")
    last_fired_at: datetime | None
    last_run_id: str | None
    would_fire: bool
    reason: str = Field(description="Why it would fire now, or why not.")

    @classmethod
    def of(cls, state: TriggerState) -> Self:
        rule, config = state.rule, state.config
        bounded = rule.threshold is not None
        return cls(
            name=rule.name,
            description=rule.description,
            unit=rule.unit,
            value=state.value,
            threshold=config.threshold,
            lowest=rule.lowest if bounded else None,
            highest=rule.highest if bounded else None,
            enabled=config.enabled,
            cooldown_hours=config.cooldown_hours,
            schedule=config.schedule if rule.has_schedule else None,
            last_fired_at=config.last_fired_at,
            last_run_id=config.last_run_id,
            would_fire=state.would_fire,
            reason=state.reason,
        )


class Triggers(BaseModel):
    triggers: list[Trigger]


class TriggerChange(BaseModel):
    """Omitted fields stay as they are; null restores the default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    threshold: float | None = None
    cooldown_hours: float | None = Field(default=None, ge=MIN_COOLDOWN_HOURS, le=MAX_COOLDOWN_HOURS)
    schedule: Schedule | None = None


@router.get("/triggers", summary="Triggers", responses=responses(503))
def triggers(session: ReadingDep, settings: SettingsDep, blobs: BlobsDep) -> Triggers:
    states = trigger_states(session, settings, blobs, now())
    return Triggers(triggers=[Trigger.of(state) for state in states])


@router.put("/triggers/{name}", summary="Set a trigger", responses=responses(404, 409, 422, 503))
def set_trigger(
    database: DatabaseDep, settings: SettingsDep, blobs: BlobsDep, name: str, wanted: TriggerChange
) -> Trigger:
    with database.session() as session:
        change_settings(session, name, wanted.model_dump(exclude_unset=True), now())
    with database.reading() as session:
        states = trigger_states(session, settings, blobs, now())
    return next(Trigger.of(state) for state in states if state.rule.name == name)
