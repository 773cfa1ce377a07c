"""`/freshness-thresholds`: the scores between fresh, past its best and rotten."""

from fastapi import APIRouter

from api.http.deps import DatabaseDep, SettingsDep, StateDep
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.predictions import freshness_thresholds
from api.predictions.freshness_thresholds import FreshnessThresholds, FreshnessThresholdsChange

router = APIRouter(
    route_class=CheckedRoute,
    prefix="/freshness-thresholds",
    tags=["freshness"],
    responses=responses(503, 507),
)


@router.get("", summary="Get the freshness thresholds")
def thresholds(state: StateDep, settings: SettingsDep) -> FreshnessThresholds:
    """Get the freshness thresholds in use, who set them, and those of the model."""
    return freshness_thresholds.current(state, settings)


@router.put("", summary="Set the freshness thresholds", responses=responses(409, 422))
def set_thresholds(
    state: StateDep,
    settings: SettingsDep,
    database: DatabaseDep,
    change: FreshnessThresholdsChange,
) -> FreshnessThresholds:
    """Set the freshness thresholds for all versions. Every process uses them within two seconds."""
    own = state.serving().own_thresholds
    user_set = freshness_thresholds.validated(change.rotten_below, change.fresh_from)
    with database.session() as session:
        freshness_thresholds.set_thresholds(session, change.rotten_below, change.fresh_from)
    return freshness_thresholds.build_response(own, settings, user_set)


@router.delete("", summary="Reset the freshness thresholds")
def forget_thresholds(
    state: StateDep, settings: SettingsDep, database: DatabaseDep
) -> FreshnessThresholds:
    """Return to the thresholds of the environment or, if there are none, to those of the model."""
    own = state.serving().own_thresholds
    with database.session() as session:
        freshness_thresholds.clear_thresholds(session)
    return freshness_thresholds.build_response(own, settings, None)
