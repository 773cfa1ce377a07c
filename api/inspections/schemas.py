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
from api.storage.tables.inspections import InspectionFruitRow, InspectionRow, Said

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

    model_config = ConfigDict(extra="forbid", strict=True)

    lot: Name = Field(description="Number or name of the lot.")
    supplier: Text = ""
    kind: Annotated[str, Field(max_length=80), AfterValidator(clean_line)] = Field(
        default="", description="Kind of fruit, such as apple; empty for a mixed lot."
    )
    max_rotten: Limit = Field(
        default=0.05, description="Highest tolerated share of rotten fruits, for example 0.05."
    )
    max_past_best: Limit | None = Field(
        default=0.1,
        description="Highest tolerated share of fruits past their best; null if any share is "
        "tolerated.",
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = Field(
        default=0.95, description="Confidence that a verdict requires, 0.5 to 0.999."
    )

    @property
    def profile(self) -> Profile:
        return Profile(self.max_rotten, self.max_past_best, self.confidence)


class Counts(BaseModel):
    """Number of fruits by level. `unknown` counts fruits that were not recognised and have not been
    corrected.
    """

    fresh: int
    past_best: int
    rotten: int
    unknown: int = Field(description="Fruits without a level, until a user corrects them.")

    @classmethod
    def of(cls, tally: Tally) -> Self:
        return cls(**{name: getattr(tally, name) for name in cls.model_fields})


class LevelShare(BaseModel):
    """Share of one level among the graded fruits, with a confidence interval for the lot."""

    level: Level
    count: int = Field(description="Number of graded fruits of this level.")
    share: float | None = Field(description="Share from 0 to 1; null without graded fruits.")
    low: float = Field(
        description="Lower bound of the exact (Clopper-Pearson) confidence interval at the "
        "confidence of the inspection, valid for a single look."
    )
    high: float = Field(
        description="Upper bound of the exact (Clopper-Pearson) confidence interval at the "
        "confidence of the inspection, valid for a single look."
    )
    limit: float | None = Field(
        description="Highest tolerated share; null if any share is tolerated."
    )


class LotVerdict(BaseModel):
    """Verdict on the lot: accept, reject, or photograph more. It remains valid however often it is
    checked.
    """

    decision: Decision
    more: int | None = Field(
        description="Approximate number of further fruits needed for a verdict if they are like "
        "those so far; 0 if correcting the unknown fruits is enough; null if there is a verdict "
        "or none is in reach."
    )
    over: list[Level] = Field(
        description="Levels whose share exceeds its limit; empty unless the lot is rejected."
    )
    message: str = Field(description="The verdict in words, in English.")


class Inspection(BaseModel):
    """The current state of an inspection."""

    id: str
    lot: str
    supplier: str
    kind: str = Field(description="Kind of fruit; empty for a mixed lot.")
    max_rotten: float = Field(description="Highest tolerated share of rotten fruits, 0 to 1.")
    max_past_best: float | None = Field(description="As `max_rotten`; null for any share.")
    confidence: float = Field(description="Confidence that a verdict requires, 0 to 1.")
    created_at: datetime = Field(description="When it was opened, in UTC.")
    photos: int = Field(description="Number of photos, including those that do not count.")
    same_asked: int = Field(
        description="Number of photos that may show the same fruits as another photo and await a "
        "decision."
    )
    counts: Counts = Field(description="Fruits in the photos that count.")
    shares: list[LevelShare] = Field(description="Share of each level, worst level first.")
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
    """One fruit in an inspection; its box is in pixels of the upright photo."""

    photo_id: str
    number: int = Field(description="Number in the photo, from 1.")
    box: FruitBox = Field(description="In pixels of the size of the photo.")
    level: Level | None = Field(
        description="Level that the fruit counts as; null if unknown or not a fruit."
    )
    said: Said | None = Field(description="Correction by a user; null if there is none.")
    added: bool = Field(
        description="Whether a user added the fruit because the grader had missed it."
    )
    predicted_class: str | None = Field(description="Null if a user added it.")
    confidence: float | None = Field(description="Of the class, calibrated, 0 to 1; null if added.")
    recognised: bool = Field(description="False for no known class, and if a user added it.")
    freshness_score: float | None = Field(
        description="0 (rotten) to 1 (fresh); null if added or without freshness classes."
    )
    freshness_level: Level | None = Field(description="Level assigned by the grader.")
    freshness_thresholds: UsedThresholds | None = Field(
        description="Thresholds that decided the level; null if no fruit of the version had its "
        "own thresholds."
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
    """One photo of an inspection. `/predictions/{id}/photograph` returns its picture."""

    id: str = Field(description="ID of the photo and of its prediction.")
    number: int = Field(description="Number in the inspection, from 1.")
    filename: str
    created_at: datetime = Field(description="When the photo was graded, in UTC.")
    model_version: str = Field(description="Version that graded the photo.")
    width: int = Field(description="Width of the upright photo, in pixels.")
    height: int = Field(description="Height of the upright photo, in pixels.")
    photograph_kept: bool = Field(description="Whether the photo is still stored.")
    ungraded: int = Field(
        description="Number of fruits beyond the limit of one photo, which were found but not "
        "graded."
    )
    same_as: str | None = Field(
        description="ID of an earlier photo that appears to show the same fruits; null if there "
        "is none."
    )
    counted: bool = Field(description="Whether its fruits count towards the verdict.")
    answered: bool = Field(description="Whether a user has decided if the photo counts.")
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
    filename: str = Field(description="Name as sent; in a zip, with its path.")
    error: Problem


class AddedPhotos(BaseModel):
    """Outcome for each uploaded file, and the inspection afterwards."""

    added: list[InspectionPhoto] = Field(description="New photos, in the order sent.")
    known: list[InspectionPhoto] = Field(
        description="Photos whose files were in the inspection already. Each counts once."
    )
    errors: list[FailedPhoto]
    inspection: Inspection


class Correction(BaseModel):
    """The correct level of a fruit, or that it is not a fruit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    said: Said


class MissedFruit(BaseModel):
    """A fruit that the grader missed; its box is in pixels of the upright photo."""

    model_config = ConfigDict(extra="forbid", strict=True)

    box: FruitBox
    level: Level


class PhotoChange(BaseModel):
    """Whether a photo counts towards the verdict. Photos of the same fruits should count once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    counted: bool = Field(description="False if it shows the same fruits as another photo.")


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
