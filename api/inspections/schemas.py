"""API schemas of inspections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.catalog.box_schemas import FruitBox
from api.core.errors import Problem
from api.core.formatting import clean_line
from api.core.labels import Level
from api.inspections import repository
from api.inspections.acceptance import Decision, Profile, Tally, judge, share_of
from api.inspections.repository import Photo, level_of
from api.inspections.wording import verdict_message
from api.predictions.schemas import UsedThresholds
from api.storage.inspection_tables import InspectionFruitRow, InspectionRow, Said

MAX_TEXT = 120


def _named(text: str) -> str:
    """Raises ValueError."""
    if not any(letter.isalnum() for letter in text):
        raise ValueError("it needs a letter or a digit")
    return clean_line(text)


# Databases and logs take no control characters, and PostgreSQL no null character.
Name = Annotated[
    str,
    Field(max_length=MAX_TEXT, json_schema_extra={"pattern": r"\p{L}|\p{N}"}),
    AfterValidator(_named),
]
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean_line)]
Limit = Annotated[float, Field(gt=0, lt=1)]


class NewInspection(BaseModel):
    """An inspection to open."""

    model_config = ConfigDict(strict=True)

    lot: Name = Field(description="The number or name of the lot.")
    supplier: Text = ""
    kind: Annotated[str, Field(max_length=80), AfterValidator(clean_line)] = Field(
        default="", description="Of fruit, such as apple; empty for a mixed lot."
    )
    max_rotten: Limit = Field(
        default=0.05, description="The share of rotten fruits that is tolerated, as 0.05."
    )
    max_past_best: Limit | None = Field(
        default=0.1, description="As max_rotten, past their best; null if any share is."
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = Field(
        default=0.95, description="How sure a verdict must be."
    )

    @property
    def profile(self) -> Profile:
        return Profile(self.max_rotten, self.max_past_best, self.confidence)


class Counts(BaseModel):
    """Fruits by level. `unknown`: not recognised, and nobody has said what they are."""

    fresh: int
    past_best: int
    rotten: int
    unknown: int

    @classmethod
    def of(cls, tally: Tally) -> Self:
        return cls(**{name: getattr(tally, name) for name in cls.model_fields})


class LevelShare(BaseModel):
    """The share of one level among the fruits with a level, and where that of the lot lies."""

    level: Level
    count: int
    share: float | None
    low: float = Field(description="Of the exact interval (Clopper and Pearson) for one look.")
    high: float
    limit: float | None = Field(description="What is tolerated; null if any share is.")


class LotVerdict(BaseModel):
    """accept, reject, or photograph more; it holds however often somebody looks."""

    decision: Decision
    more: int | None = Field(
        description="About how many more fruits decide, if they are like those so far; 0 if saying "
        "what the unknown ones are decides; null if there is a verdict, or none is near."
    )
    over: list[Level] = Field(description="Of a rejected lot: the levels with too many fruits.")
    message: str


class Inspection(BaseModel):
    """An inspection as it stands."""

    id: str
    lot: str
    supplier: str
    kind: str
    max_rotten: float
    max_past_best: float | None
    confidence: float
    created_at: datetime
    photos: int
    same_asked: int = Field(
        description="Photos that may show the same fruits as another, which nobody has said yet."
    )
    counts: Counts
    shares: list[LevelShare] = Field(description="Worst first.")
    verdict: LotVerdict

    @classmethod
    def of(cls, row: InspectionRow, tally: Tally, photos: int, same_asked: int) -> Self:
        profile = Profile(row.max_rotten, row.max_past_best, row.confidence)
        verdict = judge(tally, profile)
        levels: tuple[Level, ...] = ("rotten", "past_best", "fresh")
        return cls(
            **{name: getattr(row, name) for name in _COLUMNS},
            photos=photos,
            same_asked=same_asked,
            counts=Counts.of(tally),
            shares=[
                LevelShare(
                    level=level,
                    limit=profile.limits.get(level),
                    **vars(share_of(tally, level, profile.confidence)),
                )
                for level in levels
            ],
            verdict=LotVerdict(
                decision=verdict.decision,
                more=verdict.more,
                over=list(verdict.over),
                message=verdict_message(verdict, tally, profile),
            ),
        )


class InspectionPage(BaseModel):
    total: int
    offset: int
    limit: int
    inspections: list[Inspection]


class InspectionFruit(BaseModel):
    """One fruit; its box is in pixels of the upright photo."""

    photo_id: str
    number: int
    box: FruitBox
    level: Level | None = Field(description="What it counts as; null for unknown, and no fruit.")
    said: Said | None = Field(description="What a person said.")
    added: bool = Field(description="A person added it, as the grader had missed it.")
    predicted_class: str | None
    confidence: float | None
    recognised: bool
    freshness_score: float | None
    freshness_level: Level | None = Field(description="As graded.")
    freshness_thresholds: UsedThresholds | None = Field(
        description="By which it was graded, if a fruit of the version had its own."
    )

    @classmethod
    def of(cls, row: InspectionFruitRow) -> Self:
        edges = {name: getattr(row, name) for name in FruitBox.model_fields}
        names = cls.model_fields.keys() - {"box", "level", "freshness_thresholds"}
        values = {name: getattr(row, name) for name in names}
        return cls(
            **values,
            box=FruitBox(**edges),
            level=level_of(row),
            freshness_thresholds=UsedThresholds.of_columns(row.rotten_below, row.fresh_from),
        )


class InspectionPhoto(BaseModel):
    """One photo; its picture is at /predictions/{id}/photograph."""

    id: str
    number: int
    filename: str
    created_at: datetime
    model_version: str
    width: int
    height: int
    photograph_kept: bool
    ungraded: int = Field(description="Fruits that were found but not graded: too many at once.")
    same_as: str | None = Field(description="The photo that seems to show the same fruits.")
    counted: bool
    answered: bool = Field(description="Whether a person said if it counts.")
    fruits: list[InspectionFruit]

    @classmethod
    def of(cls, photo: Photo) -> Self:
        row, prediction = photo.row, photo.prediction
        names = ("id", "number", "width", "height", "ungraded", "same_as")
        return cls(
            **{name: getattr(row, name) for name in names},
            filename=prediction.filename,
            created_at=prediction.created_at,
            model_version=prediction.model_version,
            photograph_kept=prediction.blob is not None,
            counted=row.counted is not False,
            answered=row.counted is not None,
            fruits=[InspectionFruit.of(fruit) for fruit in photo.fruits],
        )


class InspectionPhotoPage(BaseModel):
    total: int
    offset: int
    limit: int
    photos: list[InspectionPhoto]


class InspectionFruitPage(BaseModel):
    total: int
    offset: int
    limit: int
    fruits: list[InspectionFruit]


class FailedPhoto(BaseModel):
    filename: str
    error: Problem


class AddedPhotos(BaseModel):
    """What became of the files, and the inspection with them."""

    added: list[InspectionPhoto]
    known: list[InspectionPhoto] = Field(
        description="The same files were in the inspection already; they count once."
    )
    errors: list[FailedPhoto]
    inspection: Inspection


class Correction(BaseModel):
    """What a fruit is."""

    model_config = ConfigDict(strict=True)

    said: Said


class MissedFruit(BaseModel):
    """A fruit that was missed; its box is in pixels of the upright photo."""

    model_config = ConfigDict(strict=True)

    box: FruitBox
    level: Level


class PhotoChange(BaseModel):
    """Whether a photo counts, or shows the same fruits as another."""

    model_config = ConfigDict(strict=True)

    counted: bool


_COLUMNS = (
    *("id", "lot", "supplier", "kind"),
    *("max_rotten", "max_past_best", "confidence", "created_at"),
)


def load(session: Session, rows: Sequence[InspectionRow]) -> list[Inspection]:
    """The inspections with their counts."""
    ids = [row.id for row in rows]
    tallies, photos = repository.tallies(session, ids), repository.photo_counts(session, ids)
    return [
        Inspection.of(row, tallies.get(row.id, Tally()), *photos.get(row.id, (0, 0)))
        for row in rows
    ]
