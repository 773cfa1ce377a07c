"""`/freshness-thresholds`: the scores between fresh, past its best and rotten."""

from fastapi import APIRouter

from api.http.deps import DatabaseDep, SettingsDep, StateDep
from api.http.problems import responses
from api.predictions import freshness_thresholds
from api.predictions.freshness_thresholds import FreshnessThresholds, FreshnessThresholdsChange

router = APIRouter(prefix="/freshness-thresholds", tags=["freshness"])


@router.get("", summary="Where is the line drawn?", responses=responses(503))
def thresholds(state: StateDep, settings: SettingsDep) -> FreshnessThresholds:
    return freshness_thresholds.current(state, settings)


@router.put("", summary="Draw the line elsewhere", responses=responses(409, 422, 503))
def set_thresholds(
    state: StateDep,
    settings: SettingsDep,
    database: DatabaseDep,
    wanted: FreshnessThresholdsChange,
) -> FreshnessThresholds:
    """Every process tells levels by them within two seconds, whichever version serves."""
    own = state.serving().own_thresholds
    chosen = freshness_thresholds.validated(wanted.rotten_below, wanted.fresh_from)
    with database.session() as session:
        freshness_thresholds.set_thresholds(session, wanted.rotten_below, wanted.fresh_from)
    return freshness_thresholds.build_response(own, settings, chosen)


@router.delete("", summary="Draw the line where it was", responses=responses(503))
def forget_thresholds(
    state: StateDep, settings: SettingsDep, database: DatabaseDep
) -> FreshnessThresholds:
    """Back to what the environment says, or else the model."""
    own = state.serving().own_thresholds
    with database.session() as session:
        freshness_thresholds.clear_thresholds(session)
    return freshness_thresholds.build_response(own, settings, None)
