"""`/freshness-thresholds`: where to draw the line between fresh, past its best and rotten."""

from fastapi import APIRouter

from api.deps import DatabaseDep, SettingsDep, StateDep
from api.freshness import service
from api.freshness.service import FreshnessThresholds, FreshnessThresholdsChange
from api.problems import responses

router = APIRouter(prefix="/freshness-thresholds", tags=["freshness"])


@router.get("", summary="Where is the line drawn?", responses=responses(503))
def thresholds(state: StateDep, settings: SettingsDep) -> FreshnessThresholds:
    return service.current(state, settings)


@router.put("", summary="Draw the line elsewhere", responses=responses(409, 422, 503))
def set_thresholds(
    state: StateDep,
    settings: SettingsDep,
    database: DatabaseDep,
    wanted: FreshnessThresholdsChange,
) -> FreshnessThresholds:
    """Every process tells levels by them within two seconds, whichever version serves."""
    own = state.serving().own_thresholds
    chosen = service.verified(wanted.rotten_below, wanted.fresh_from)
    with database.session() as session:
        service.set_thresholds(session, wanted.rotten_below, wanted.fresh_from)
    return service.describe(own, settings, chosen)


@router.delete("", summary="Draw the line where it was", responses=responses(503))
def forget_thresholds(
    state: StateDep, settings: SettingsDep, database: DatabaseDep
) -> FreshnessThresholds:
    """Back to what the environment says, or else the model."""
    own = state.serving().own_thresholds
    with database.session() as session:
        service.forget_thresholds(session)
    return service.describe(own, settings, None)
