"""Freshness thresholds as clients see and set them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# The catalog, the environment of the deployment, or the package that serves.
SetBy = Literal["user", "environment", "model"]
Threshold = Annotated[float, Field(gt=0, lt=1)]


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
