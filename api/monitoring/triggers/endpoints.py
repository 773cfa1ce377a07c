"""`/triggers`: how they stand, and setting them."""

from fastapi import APIRouter

from api.db import now
from api.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep
from api.monitoring.triggers.schemas import Trigger, TriggerChange, Triggers
from api.monitoring.triggers.service import change
from api.monitoring.triggers.state import trigger_states
from api.problems import responses

router = APIRouter(tags=["monitoring"])


@router.get("/triggers", summary="What starts a retraining?", responses=responses(503))
def triggers(session: ReadingDep, settings: SettingsDep, blobs: BlobsDep) -> Triggers:
    states = trigger_states(session, settings, blobs, now())
    return Triggers(triggers=[Trigger.of(state) for state in states])


@router.put("/triggers/{name}", summary="Set a trigger", responses=responses(404, 409, 422, 503))
def set_trigger(
    database: DatabaseDep, settings: SettingsDep, blobs: BlobsDep, name: str, wanted: TriggerChange
) -> Trigger:
    with database.session() as session:
        change(session, name, wanted.model_dump(exclude_unset=True), now())
    with database.reading() as session:
        states = trigger_states(session, settings, blobs, now())
    return next(Trigger.of(state) for state in states if state.rule.name == name)
