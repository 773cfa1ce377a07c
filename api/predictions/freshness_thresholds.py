"""The freshness thresholds in use: set by a user, else by the environment, else by the model."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete
from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.core.freshness_levels import LevelThresholds, threshold_error
from api.model.predictor import Predictor
from api.predictions.state import AppState
from api.settings import Settings
from api.storage.db import UNAVAILABLE, now, upsert
from api.storage.tables.predictions import FreshnessThresholdsRow

SetBy = Literal["user", "environment", "model"]
Threshold = Annotated[float, Field(gt=0, lt=1)]


class BadThresholdsError(ConflictError):
    code = "bad-thresholds"


class ModelThresholds(BaseModel):
    """The freshness thresholds fitted when the current version was trained."""

    rotten_below: float = Field(description="Scores below this value are rotten.")
    fresh_from: float | None = Field(
        description="Scores of at least this value are fresh; null if the model cannot tell the "
        "middle level."
    )


class FreshnessThresholds(BaseModel):
    """The freshness thresholds in use. A score below `rotten_below` is rotten, a score of at least
    `fresh_from` is fresh, and one between them is past_best.

    All values are null if the version has no freshness classes and nobody has set thresholds.
    """

    rotten_below: float | None = Field(
        description="Scores below this value are rotten; null if there are no thresholds."
    )
    fresh_from: float | None = Field(
        description="Scores of at least this value are fresh; null if there is no middle level."
    )
    set_by: SetBy = Field(
        description="user: with `PUT /freshness-thresholds`; environment: by "
        "RIPELINE_ROTTEN_BELOW and RIPELINE_FRESH_FROM; model: fitted with the version."
    )
    model: ModelThresholds | None = Field(
        description="Thresholds fitted with the current version; null if it has no freshness "
        "classes."
    )


class FreshnessThresholdsChange(BaseModel):
    """New freshness thresholds. Both are required; `rotten_below` must not exceed `fresh_from`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rotten_below: Threshold = Field(
        description="Scores below this value become rotten; above 0, below 1."
    )
    fresh_from: Threshold = Field(
        description="Scores of at least this value become fresh; above 0, below 1."
    )


def user_thresholds(session: Session) -> LevelThresholds | None:
    """The thresholds that a user set, if any."""
    row = session.get(FreshnessThresholdsRow, 1, populate_existing=True)
    return LevelThresholds(row.rotten_below, row.fresh_from) if row else None


def set_thresholds(session: Session, rotten_below: float, fresh_from: float) -> None:
    """Set the user's thresholds, for all processes."""
    values = {"rotten_below": rotten_below, "fresh_from": fresh_from, "changed_at": now()}
    upsert(session, FreshnessThresholdsRow, {"id": 1}, values)


def clear_thresholds(session: Session) -> None:
    session.execute(delete(FreshnessThresholdsRow))


def current(state: AppState, settings: Settings) -> FreshnessThresholds:
    """The thresholds in use. Raises ModelUnavailableError.

    While the catalog is unavailable, the user's thresholds are those last read from it.
    """
    own = state.serving().own_thresholds
    by_user = state.user_thresholds
    if not state.catalog_problem:
        with suppress(*UNAVAILABLE), state.database.reading() as session:
            by_user = user_thresholds(session)
    return build_response(own, settings, by_user)


def build_response(
    own: LevelThresholds | None, settings: Settings, by_user: LevelThresholds | None
) -> FreshnessThresholds:
    """`own` are the model's thresholds, `by_user` the user's."""
    set_by: SetBy = "user" if by_user else "environment" if settings.level_thresholds else "model"
    used = by_user or settings.level_thresholds or own
    return FreshnessThresholds(
        rotten_below=used.rotten_below if used else None,
        fresh_from=used.fresh_from if used else None,
        set_by=set_by,
        model=ModelThresholds.model_validate(own, from_attributes=True) if own else None,
    )


def validated(rotten_below: float, fresh_from: float) -> LevelThresholds:
    """Raises BadThresholdsError."""
    if problem := threshold_error(rotten_below, fresh_from):
        raise BadThresholdsError(problem)
    return LevelThresholds(rotten_below, fresh_from)


def apply_thresholds(
    state: AppState,
    settings: Settings,
    by_user: LevelThresholds | None,
    by_version: Mapping[str, Mapping[str, LevelThresholds]],
) -> None:
    """Use these thresholds in this process, from the next prediction on.

    `by_version` are those of single fruits.
    """
    state.user_thresholds, state.fruit_thresholds = by_user, by_version
    if (old := state.predictor) is None:
        return
    new = with_thresholds_in_use(state, settings, old)
    if (new.thresholds, new.fruit_thresholds) != (old.thresholds, old.fruit_thresholds):
        state.predictor = new


def with_thresholds_in_use(state: AppState, settings: Settings, predictor: Predictor) -> Predictor:
    """The same loaded model with the thresholds in use, as this process last read them."""
    by_fruit = state.fruit_thresholds.get(predictor.manifest.version, {})
    return predictor.with_thresholds(state.user_thresholds or settings.level_thresholds, by_fruit)
