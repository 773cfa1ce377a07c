"""Which thresholds hold: what somebody set, else what the environment says, else the model's."""

from contextlib import suppress
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete
from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.core.freshness_levels import LevelThresholds, problem_of
from api.predictions.state import AppState
from api.settings import Settings
from api.storage.db import UNAVAILABLE, now, upsert
from api.storage.tables import FreshnessThresholdsRow

# The catalog, the environment of the deployment, or the package that serves.
SetBy = Literal["user", "environment", "model"]
Threshold = Annotated[float, Field(gt=0, lt=1)]


class BadThresholdsError(ConflictError):
    """Each number would do, but not with the other."""

    code = "bad-thresholds"


class ModelThresholds(BaseModel):
    """What the serving version was fitted to."""

    rotten_below: float
    fresh_from: float | None = Field(description="Null where it cannot tell the middle level.")


class FreshnessThresholds(BaseModel):
    """A score below rotten_below is rotten, one from fresh_from on fresh, between is past_best.

    All is null for a version of which no class speaks of freshness, as long as nobody sets any.
    """

    rotten_below: float | None
    fresh_from: float | None = Field(description="Null: there is no middle level.")
    set_by: SetBy
    model: ModelThresholds | None = Field(description="The serving version's own.")


class FreshnessThresholdsChange(BaseModel):
    """Both at once; rotten_below must not be above fresh_from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rotten_below: Threshold
    fresh_from: Threshold


def user_thresholds(session: Session) -> LevelThresholds | None:
    """None where nobody set any."""
    row = session.get(FreshnessThresholdsRow, 1, populate_existing=True)
    return LevelThresholds(row.rotten_below, row.fresh_from) if row else None


def set_thresholds(session: Session, rotten_below: float, fresh_from: float) -> None:
    """For all processes, in place of what was set before."""
    values = {"rotten_below": rotten_below, "fresh_from": fresh_from, "changed_at": now()}
    upsert(session, FreshnessThresholdsRow, {"id": 1}, values)


def forget_thresholds(session: Session) -> None:
    session.execute(delete(FreshnessThresholdsRow))


def current(state: AppState, settings: Settings) -> FreshnessThresholds:
    """What holds now; while the catalog is away, what was read of it last.

    Raises ModelUnavailableError.
    """
    own = state.serving().own_thresholds
    chosen = state.user_thresholds
    if not state.catalog_problem:
        with suppress(*UNAVAILABLE), state.database.reading() as session:
            chosen = user_thresholds(session)
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


def follow(state: AppState, settings: Settings, chosen: LevelThresholds | None) -> None:
    """Have this process tell levels by what is `chosen`. A grading that is under way goes on as
    it began.
    """
    state.user_thresholds = chosen
    wanted = chosen or settings.level_thresholds
    runtime = state.runtime
    if runtime is not None and runtime.thresholds != (wanted or runtime.own_thresholds):
        state.runtime = runtime.with_thresholds(wanted)
