"""`/drift`, `/monitoring/summary`, `/metrics` and `/triggers`."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field

from api.core import telemetry
from api.http.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep, StateDep
from api.http.problems import responses
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.summary import Summary, summarise
from api.monitoring.trigger_rules import Schedule
from api.monitoring.triggers import (
    MAX_COOLDOWN_HOURS,
    MIN_COOLDOWN_HOURS,
    TriggerState,
    change_settings,
    trigger_states,
)
from api.predictions.accuracy_in_use import AccuracyInUse, accuracy_in_use
from api.predictions.history import FLUSH_SECONDS
from api.registry import repository as models
from api.registry.schemas import Headlines
from api.storage.db import now

router = APIRouter(tags=["monitoring"])


class Drift(BaseModel):
    """The newest predictions of the current version against its own test photos."""

    model_version: str
    drifted: bool
    figures: list[DriftFigure]


class VersionAccuracies(BaseModel):
    versions: list[AccuracyInUse]


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


@router.get("/drift", summary="Drift", responses=responses(503))
def drift(state: StateDep, database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> Drift:
    """Embedding, confidence and class-mix drift of the newest 500 predictions in seven days.

    There is one look a day, at the predictions up to midnight (UTC), or the first 50 of a new
    version, so that no drift is reported by chance on more than one day in a thousand.
    """
    version = state.serving().manifest.version
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        figures = current_drift(session, settings, blobs, version, now())
    return Drift(
        model_version=version, drifted=any(figure.drifted for figure in figures), figures=figures
    )


@router.get("/monitoring/accuracy", summary="Accuracy in use", responses=responses(503))
def accuracy(session: ReadingDep) -> VersionAccuracies:
    """By people's answers about a random sample of each version's predictions, newest first."""
    served = models.served_versions(session)
    return VersionAccuracies(
        versions=[
            accuracy_in_use(session, row.version, Headlines.of(row.manifest).accuracy)
            for row in models.list_models(session)
            if row.version in served
        ]
    )


@router.get("/monitoring/summary", summary="Monitoring summary", responses=responses(422, 503))
def summary(session: ReadingDep, hours: Annotated[float, Query(gt=0, le=24 * 365)] = 24) -> Summary:
    return summarise(session, hours, now())


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def exposition() -> Response:
    return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


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
        change_settings(session, name, change.model_dump(exclude_unset=True), now())
    with database.reading() as session:
        states = trigger_states(session, settings, blobs, now())
    return next(Trigger.of(state) for state in states if state.rule.name == name)
