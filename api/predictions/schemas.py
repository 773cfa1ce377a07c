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
    heatmap: str = Field(description="The photo with the class activation map over it: PNG.")
    trace: Trace | None = Field(default=None, description="Of explain=full.")


class ImageSize(BaseModel):
    """Of the photo as sent, upright, in pixels."""

    width: int
    height: int


class PixelBox(BaseModel):
    """Whole pixels of the upright photo; x to the right, y down."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


class UsedThresholds(BaseModel):
    """Those that a level was decided by."""

    rotten_below: float
    fresh_from: float | None = Field(description="Null: there is no middle level.")

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
        description="Those that decided the level. Missing while no fruit of the version has its "
        "own (/models/{version}/thresholds): then /freshness-thresholds has them.",
    ),
]


class Instance(BaseModel):
    """One fruit of a photo, graded from the photo's own pixels around its box."""

    box: PixelBox
    score: float = Field(ge=0, le=1, description="How sure the detector is of a fruit there.")
    fruit: str
    predicted_class: str
    confidence: float = Field(ge=0, le=1, description="Calibrated probability of the class.")
    probabilities: dict[str, float]
    freshness: Freshness | None
    freshness_level: Level | None
    freshness_score: float | None = Field(description="0 (rotten) to 1 (fresh).")
    recognised: bool = Field(description="False if it is none of the known classes.")
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
    """Totals of the instances of one photo."""

    count: int
    by_class: dict[str, int] = Field(description="Of the recognised, by predicted class.")
    by_level: dict[Level, int] = Field(description="Of the recognised, by freshness level.")
    unrecognised: int = Field(description="Of all: none of the known classes.")
    worst: int | None = Field(
        description="Index of the instance with the lowest freshness score; null if none that is "
        "recognised has a freshness level."
    )
    ungraded: int = Field(
        description="Fruits that were found but not graded, since there are too many; not counted "
        "above."
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
    """One graded photo."""

    prediction_id: str
    predicted_class: str
    prediction: str = Field(description="The same as predicted_class, for older clients.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability of the class.")
    probabilities: dict[str, float]
    fruit: str
    freshness: Freshness | None
    freshness_score: float | None = Field(description="0 (rotten) to 1 (fresh).")
    freshness_level: Level | None = Field(
        description="By the thresholds of the fruit in this version, or else by "
        "/freshness-thresholds; null for a class without freshness."
    )
    freshness_thresholds: OwnThresholds = None
    recognised: bool = Field(description="False if the photo shows none of the known classes.")
    interpretation: str
    model_version: str
    inference_time_ms: float
    timestamp: datetime
    explanation: Explanation | None = None
    # Of a request with `instances`.
    image: ImageSize | None = None
    instances: list[Instance] | None = Field(
        default=None, description="The fruits of the photo, by score, best first."
    )
    several: bool | None = Field(
        default=None,
        description="Whether the photo plainly shows more than one fruit: then its grade speaks "
        "for none of them alone. With `instances`, whether at least two were found. Missing if the "
        "model cannot tell.",
    )
    summary: InstanceSummary | None = None

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
    """One graded photo of a batch."""

    index: int = Field(ge=0, description="Position in the results.")
    filename: str = Field(
        description="As sent; for a file of a zip, the zip's name and the path in it."
    )


class BatchFailure(BaseModel):
    """A file of a batch that could not be graded."""

    index: int
    filename: str
    error: Problem


class BatchSummary(BaseModel):
    """Totals of the batch."""

    count: int
    graded: int
    failed: int
    by_class: dict[str, int] = Field(description="Of the recognised, by predicted class.")
    fresh: int
    rotten: int
    by_level: dict[Level, int] = Field(description="Of the recognised, by freshness level.")
    unrecognised: int = Field(description="Of the graded; counted as no fruit.")
    model_version: str
    seconds: float
    batch_id: str = Field(description="GET /predictions?batch_id=… lists its predictions again.")


class BatchAnswer(BaseModel):
    results: list[BatchPrediction | BatchFailure]
    summary: BatchSummary


def _worst(grades: list[FruitGrade]) -> int | None:
    # A score without a level is about other classes than the predicted one.
    scores = {
        index: grade.freshness_score
        for index, grade in enumerate(grades)
        if grade.recognised and grade.freshness_level and grade.freshness_score is not None
    }
    return min(scores, key=lambda index: scores[index], default=None)
