"""API schemas of a version that grades beside the one in use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.core.labels import Level
from api.registry.shadow_repository import Agreement, Difference
from api.storage.tables.shadows import ShadowRow

ShadowState = Literal["off", "running", "complete", "stopped", "replaced"]
MAX_PHOTOS = 100_000


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 500.0 is 500."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ShadowStart(BaseModel):
    """Sample of photos for the shadow version to grade."""

    model_config = ConfigDict(extra="forbid", strict=True)

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.1,
        description="Share of the photos of `POST /predict` to grade, drawn at random; above 0, "
        "at most 1.",
    )
    photos: Annotated[int, Field(ge=1, le=MAX_PHOTOS), BeforeValidator(_whole)] = Field(
        default=500, description="Number of photos after which the shadow deployment ends."
    )


class ShadowAnswer(BaseModel):
    """The grade that a version gives."""

    predicted_class: str | None = Field(
        description="Predicted class; null if the version did not recognise the photo."
    )
    freshness_level: Level | None = Field(
        description="Freshness level; null if the photo was not recognised or the class has no "
        "freshness."
    )


class ShadowDifference(BaseModel):
    """A pair of differing grades, and how often it occurred."""

    in_use: ShadowAnswer = Field(description="Grade by the version in use.")
    shadow: ShadowAnswer = Field(description="Grade by the shadow version.")
    count: int = Field(description="Number of photos with this pair of grades.")
    examples: list[str] = Field(
        description="IDs of predictions whose photos are kept, newest first. "
        "`/predictions/{id}/photograph` returns the photo."
    )

    @classmethod
    def of(cls, found: Difference) -> Self:
        in_use, shadow = (
            ShadowAnswer(predicted_class=name, freshness_level=level)
            for name, level in (found.served, found.candidate)
        )
        return cls(in_use=in_use, shadow=shadow, count=found.photos, examples=found.examples)


class Shadow(BaseModel):
    """The latest shadow deployment of a version."""

    version: str
    state: ShadowState = Field(
        description="off: never started; running: grading photos; complete: all photos were "
        "graded; stopped: stopped by a user; replaced: another version was put in use."
    )
    beside: str | None = Field(
        description="Version that was in use during the shadow deployment; null if it was never "
        "started."
    )
    share: float | None = Field(
        description="Share of the photos of `POST /predict` to grade, drawn at random, 0 to 1; "
        "null if it was never started."
    )
    photos: int | None = Field(
        description="Number of photos after which the shadow deployment ends; null if it was "
        "never started."
    )
    started_at: datetime | None = Field(
        description="When the shadow deployment started, in UTC; null if it was never started."
    )
    ended_at: datetime | None = Field(
        description="When it ended, in UTC; null while it is running and if it was never started."
    )
    graded: int = Field(description="Number of photos that both versions have graded so far.")
    same: int = Field(
        description="Number of photos to which both versions gave the same class and level, or "
        "which neither recognised."
    )
    different: int = Field(
        description="Number of photos to which the versions gave different grades."
    )
    failed: int = Field(description="Number of photos that the shadow version failed to grade.")
    agreement: float | None = Field(
        description="`same` divided by `graded`, 0 to 1; null if no photo was graded."
    )
    low: float = Field(description="Lower bound of the 95 % confidence interval of `agreement`.")
    high: float = Field(description="Upper bound of the 95 % confidence interval of `agreement`.")
    below_min: bool = Field(
        description="Whether the agreement is significantly below RIPELINE_SHADOW_MIN_AGREEMENT. "
        "The test may be repeated at any time: a version that is not below has a probability of "
        "at most 1 % of ever being reported."
    )
    differences: list[ShadowDifference] = Field(
        description="Pairs of differing grades, most frequent first."
    )

    @classmethod
    def of(
        cls,
        version: str,
        row: ShadowRow | None,
        found: Sequence[Difference],
        min_agreement: float,
    ) -> Self:
        row = row or ShadowRow(version=version, same=0, different=0, failed=0)
        agreement = Agreement.of(row, min_agreement)
        return cls(
            version=version,
            state=_state(row),
            beside=row.beside,
            share=row.share,
            photos=row.photos,
            started_at=row.started_at,
            ended_at=row.ended_at,
            graded=row.same + row.different,
            same=row.same,
            different=row.different,
            failed=row.failed,
            agreement=agreement.share,
            low=agreement.low,
            high=agreement.high,
            below_min=agreement.below_min,
            differences=[ShadowDifference.of(one) for one in found],
        )


def _state(row: ShadowRow) -> ShadowState:
    if row.active:
        return "running"
    return row.ended_by or "off"
