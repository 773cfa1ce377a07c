"""Responses of `/predict` and `/predict/batch`."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from api.core.errors import Problem
from api.core.freshness_levels import LevelThresholds
from api.core.labels import LEVELS, Freshness, Level
from api.model.grade import FruitGrade, Grade, Instances
from api.model.grade import Instance as GradedInstance
from api.model.trace import Trace
from api.storage.ids import new_id


class Explanation(BaseModel):
    heatmap: str = Field(
        description="Class activation map drawn over the photo, as a PNG data URI."
    )
    trace: Trace | None = Field(
        default=None, description="Output of each step of the grading; only with `explain=full`."
    )


class ImageSize(BaseModel):
    """Size of the upright photo as sent, in pixels."""

    width: int
    height: int


class PixelBox(BaseModel):
    """A bounding box in whole pixels of the upright photo; x points right, y points down."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


class UsedThresholds(BaseModel):
    """The freshness thresholds that decided a level."""

    rotten_below: float = Field(description="Scores below this value are rotten.")
    fresh_from: float | None = Field(
        description="Scores of at least this value are fresh; null if there is no middle level."
    )

    @classmethod
    def of(cls, thresholds: LevelThresholds | None) -> Self | None:
        return cls.model_validate(thresholds, from_attributes=True) if thresholds else None

    @classmethod
    def of_columns(cls, rotten_below: float | None, fresh_from: float | None) -> Self | None:
        if rotten_below is None:
            return None
        return cls(rotten_below=rotten_below, fresh_from=fresh_from)


OwnThresholds = Annotated[
    UsedThresholds | None,
    Field(
        exclude_if=lambda thresholds: thresholds is None,
        description="Thresholds that decided the level. Missing if no fruit of the version has "
        "its own thresholds (`/models/{version}/thresholds`); `/freshness-thresholds` apply then.",
    ),
]


class Instance(BaseModel):
    """One fruit in a photo, graded from the pixels of the photo around its box."""

    box: PixelBox = Field(description="Box in pixels of the size in `image`.")
    score: float = Field(
        ge=0,
        le=1,
        description="Detection score, 0 to 1: how sure the detector is that there is a fruit.",
    )
    fruit: str = Field(description="Fruit that the predicted class names.")
    predicted_class: str = Field(description="Most probable class, even if not `recognised`.")
    confidence: float = Field(
        ge=0, le=1, description="Calibrated probability of the predicted class, 0 to 1."
    )
    probabilities: dict[str, float] = Field(
        description="Calibrated probability of each class; their sum is 1."
    )
    freshness: Freshness | None = Field(
        description="Freshness that the predicted class names; null if it names none."
    )
    freshness_level: Level | None = Field(description="Null for a class without freshness.")
    freshness_score: float | None = Field(
        description="Freshness score from 0 (rotten) to 1 (fresh); null if the model has no "
        "freshness classes."
    )
    recognised: bool = Field(description="False if the fruit belongs to none of the known classes.")
    freshness_thresholds: OwnThresholds = None

    @classmethod
    def of(cls, instance: GradedInstance) -> "Instance":
        names, grade = ("x_min", "y_min", "x_max", "y_max"), instance.grade
        return cls(
            box=PixelBox(**dict(zip(names, map(int, instance.box), strict=True))),
            score=instance.score,
            fruit=grade.fruit,
            predicted_class=grade.class_name,
            confidence=grade.confidence,
            probabilities=grade.probabilities,
            freshness=grade.freshness,
            freshness_level=grade.freshness_level,
            freshness_score=grade.freshness_score,
            recognised=grade.recognised,
            freshness_thresholds=UsedThresholds.of(grade.thresholds),
        )


class InstanceSummary(BaseModel):
    """Totals for the fruits in one photo."""

    count: int = Field(description="Number of graded fruits, recognised or not.")
    by_class: dict[str, int] = Field(description="Number of recognised fruits by predicted class.")
    by_level: dict[Level, int] = Field(
        description="Number of recognised fruits by freshness level."
    )
    unrecognised: int = Field(
        description="Number of fruits that belong to none of the known classes."
    )
    worst: int | None = Field(
        description="Index of the fruit with the lowest freshness score; null if no recognised "
        "fruit has a freshness level."
    )
    ungraded: int = Field(
        description="Number of fruits beyond the limit of one photo, which were found but not "
        "graded. They are not part of the other counts."
    )

    @classmethod
    def of(cls, instances: Instances) -> "InstanceSummary":
        grades = [instance.grade for instance in instances.fruits]
        known = [grade for grade in grades if grade.recognised]
        levels = Counter(grade.freshness_level for grade in known)
        return cls(
            count=len(grades),
            by_class=dict(sorted(Counter(grade.class_name for grade in known).items())),
            by_level={level: levels[level] for level in LEVELS},
            unrecognised=len(grades) - len(known),
            worst=_worst(grades),
            ungraded=instances.ungraded,
        )


class FoundFruits(BaseModel):
    """The fruits of a photo, as they are recorded."""

    image: ImageSize
    instances: list[Instance]
    summary: InstanceSummary

    @classmethod
    def of(cls, prediction: "Prediction") -> "FoundFruits | None":
        """None if they were not graded."""
        if not (prediction.image and prediction.instances is not None and prediction.summary):
            return None
        return cls(
            image=prediction.image, instances=prediction.instances, summary=prediction.summary
        )


class Prediction(BaseModel):
    """The grade of one photo."""

    prediction_id: str
    predicted_class: str = Field(description="Most probable class, even if not `recognised`.")
    prediction: str = Field(description="Same as `predicted_class`; for older clients.")
    confidence: float = Field(
        ge=0, le=1, description="Calibrated probability of the predicted class, 0 to 1."
    )
    probabilities: dict[str, float] = Field(
        description="Calibrated probability of each class; their sum is 1."
    )
    fruit: str = Field(description="Fruit that the predicted class names.")
    freshness: Freshness | None = Field(
        description="Freshness that the predicted class names; null if it names none."
    )
    freshness_score: float | None = Field(
        description="Freshness score from 0 (rotten) to 1 (fresh); null if the model has no "
        "freshness classes."
    )
    freshness_level: Level | None = Field(
        description="Level by the thresholds of this fruit in this version, or by "
        "`/freshness-thresholds` if it has none; null for a class without freshness."
    )
    freshness_thresholds: OwnThresholds = None
    recognised: bool = Field(description="False if the photo shows none of the known classes.")
    interpretation: str = Field(description="The grade in words, in English.")
    model_version: str = Field(description="Version that graded the photo.")
    inference_time_ms: float = Field(description="Computing time in milliseconds, without waiting.")
    timestamp: datetime = Field(description="When the photo was graded, in UTC.")
    explanation: Explanation | None = Field(
        default=None, description="Missing unless the request had `explain`."
    )
    # Only if the request had `instances`.
    image: ImageSize | None = Field(
        default=None,
        description="Missing unless the request had `instances=true`, like `instances` and "
        "`summary`.",
    )
    instances: list[Instance] | None = Field(
        default=None, description="Fruits found in the photo, highest detection score first."
    )
    several: bool | None = Field(
        default=None,
        description="Whether the photo clearly shows more than one fruit, so that the grade "
        "describes none of them alone. With `instances`, whether at least two fruits were found. "
        "Missing if the model cannot tell.",
    )
    summary: InstanceSummary | None = Field(default=None, description="Totals for `instances`.")

    @classmethod
    def of_grade(cls, grade: Grade, model_version: str) -> "Prediction":
        """What was not requested stays unset, and so is not sent."""
        prediction = cls(
            prediction_id=new_id(),
            predicted_class=grade.class_name,
            prediction=grade.class_name,
            confidence=grade.confidence,
            probabilities=grade.probabilities,
            fruit=grade.fruit,
            freshness=grade.freshness,
            freshness_score=grade.freshness_score,
            freshness_level=grade.freshness_level,
            freshness_thresholds=UsedThresholds.of(grade.thresholds),
            recognised=grade.recognised,
            interpretation=grade.interpretation,
            model_version=model_version,
            inference_time_ms=round(grade.milliseconds, 3),
            timestamp=datetime.now(UTC),
        )
        if grade.several is not None:
            prediction.several = grade.several
        if grade.heatmap:
            prediction.explanation = Explanation(heatmap=grade.heatmap)
        if found := grade.instances:
            prediction.image = ImageSize(width=found.width, height=found.height)
            prediction.instances = [Instance.of(instance) for instance in found.fruits]
            prediction.summary = InstanceSummary.of(found)
        return prediction


class BatchPrediction(Prediction):
    """The grade of one photo in a batch."""

    index: int = Field(ge=0, description="Position in the results, starting at 0.")
    filename: str = Field(
        description="File name as sent; for a file in a zip, the name of the zip followed by the "
        "path inside it."
    )


class BatchFailure(BaseModel):
    """A file in a batch that could not be graded."""

    index: int = Field(description="Position in the results, starting at 0.")
    filename: str = Field(
        description="File name as sent; in a zip, the name of the zip and the path in it."
    )
    error: Problem


class BatchSummary(BaseModel):
    """Totals for a batch."""

    count: int = Field(description="Number of results: `graded` plus `failed`.")
    graded: int = Field(description="Number of graded photos, recognised or not.")
    failed: int = Field(description="Number of files that could not be graded.")
    by_class: dict[str, int] = Field(description="Number of recognised photos by predicted class.")
    fresh: int = Field(description="Number of recognised photos of a fresh or past-best class.")
    rotten: int = Field(description="Number of recognised photos of a rotten class.")
    by_level: dict[Level, int] = Field(
        description="Number of recognised photos by freshness level."
    )
    unrecognised: int = Field(
        description="Number of graded photos that were not recognised. They count towards no "
        "class or level."
    )
    model_version: str = Field(description="Version that graded all photos.")
    seconds: float = Field(description="Duration of the whole batch, in seconds.")
    batch_id: str = Field(
        description="ID of the batch. `GET /predictions?batch_id=…` lists its predictions."
    )


class BatchAnswer(BaseModel):
    results: list[BatchPrediction | BatchFailure] = Field(
        description="One per photo, in the order sent."
    )
    summary: BatchSummary


def _worst(grades: list[FruitGrade]) -> int | None:
    # A score without a level is about other classes than the predicted one.
    scores = {
        index: grade.freshness_score
        for index, grade in enumerate(grades)
        if grade.recognised and grade.freshness_level and grade.freshness_score is not None
    }
    return min(scores, key=lambda index: scores[index], default=None)
