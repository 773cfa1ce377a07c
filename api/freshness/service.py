"""Which thresholds hold: what somebody set, else what the environment says, else the model's."""

from contextlib import suppress

from api.db import AWAY
from api.freshness import repository
from api.freshness.errors import BadThresholdsError
from api.freshness.schemas import FreshnessThresholds, ModelThresholds, SetBy
from api.health.state import ServiceState
from api.predict.levels import LevelThresholds, problem_of
from api.settings import Settings


def current(state: ServiceState, settings: Settings) -> FreshnessThresholds:
    """What holds now; while the catalog is away, what was read of it last.

    Raises ModelUnavailableError.
    """
    own = state.serving().own_thresholds
    chosen = state.user_thresholds
    if not state.catalog_problem:
        with suppress(*AWAY), state.database.reading() as session:
            chosen = repository.user_thresholds(session)
    return describe(own, settings, chosen)


def describe(
    own: LevelThresholds | None, settings: Settings, chosen: LevelThresholds | None
) -> FreshnessThresholds:
    """As clients see it: `own` are the model's thresholds, `chosen` what a user set."""
    set_by: SetBy = "user" if chosen else "environment" if settings.level_thresholds else "model"
    found = chosen or settings.level_thresholds or own
    return FreshnessThresholds(
        rotten_below=found.rotten_below if found else None,
        fresh_from=found.fresh_from if found else None,
        set_by=set_by,
        model=ModelThresholds.model_validate(own, from_attributes=True) if own else None,
    )


def verified(rotten_below: float, fresh_from: float) -> LevelThresholds:
    """Raises BadThresholdsError."""
    if problem := problem_of(rotten_below, fresh_from):
        raise BadThresholdsError(problem)
    return LevelThresholds(rotten_below, fresh_from)


def follow(state: ServiceState, settings: Settings, chosen: LevelThresholds | None) -> None:
    """Have this process tell levels by what is `chosen`. A grading that is under way goes on as
    it began.
    """
    state.user_thresholds = chosen
    wanted = chosen or settings.level_thresholds
    runtime = state.runtime
    if runtime is not None and runtime.thresholds != (wanted or runtime.own_thresholds):
        state.runtime = runtime.with_thresholds(wanted)
