"""API schemas of a version that grades beside the one in use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.core.labels import Level
from api.registry.shadow_repository import Agreement, Difference
from api.storage.shadow_tables import ShadowRow

ShadowState = Literal["off", "running", "complete", "stopped", "replaced"]
MAX_PHOTOS = 100_000


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 500.0 is 500."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ShadowStart(BaseModel):
    """How many photos it grades."""

    model_config = ConfigDict(extra="forbid", strict=True)

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.1, description="Of the photos of POST /predict, drawn at random."
    )
    photos: Annotated[int, Field(ge=1, le=MAX_PHOTOS), BeforeValidator(_whole)] = Field(
        default=500, description="After so many it ends by itself."
    )


class ShadowAnswer(BaseModel):
    """What a version says."""

    predicted_class: str | None = Field(description="Null: it did not recognise the photo.")
    freshness_level: Level | None


class ShadowDifference(BaseModel):
    """Photos of which the two say the same two different things."""

    in_use: ShadowAnswer
    shadow: ShadowAnswer
    count: int
    examples: list[str] = Field(
        description="Predictions whose photos are kept, the newest first: "
        "/predictions/{id}/photograph."
    )

    @classmethod
    def of(cls, found: Difference) -> Self:
        in_use, shadow = (
            ShadowAnswer(predicted_class=name, freshness_level=level)
            for name, level in (found.served, found.candidate)
        )
        return cls(in_use=in_use, shadow=shadow, count=found.photos, examples=found.examples)


class Shadow(BaseModel):
    """A version that grades, or graded, beside the one in use: the last time that it did."""

    version: str
    state: ShadowState = Field(
        description="off: it never did; complete: all photos were graded; stopped: by a person; "
        "replaced: another version was put in use."
    )
    beside: str | None = Field(description="The version in use then.")
    share: float | None
    photos: int | None = Field(description="After so many it ends.")
    started_at: datetime | None
    ended_at: datetime | None
    graded: int = Field(description="By both, so far.")
    same: int = Field(description="The same class and level, or neither recognised the photo.")
    different: int
    failed: int = Field(description="Photos on which this version failed.")
    agreement: float | None = Field(description="same / graded; null without any.")
    low: float = Field(description="The 95 % interval of the agreement.")
    high: float
    below_min: bool = Field(
        description="Whether it is significantly below RIPELINE_SHADOW_MIN_AGREEMENT. A version "
        "that is not has a chance of 1 in 100 of ever being reported, however often one looks."
    )
    differences: list[ShadowDifference] = Field(description="The most frequent first.")

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
