"""Responses of `/predict` and `/predict/batch`."""

from datetime import UTC, datetime
from uuid import uuid4

from pydantic import BaseModel, Field

from api.core.errors import Problem
from api.core.labels import Freshness, Level
from api.model.predictor import Grade


class Explanation(BaseModel):
    heatmap: str = Field(description="The photograph with the class activation map over it: PNG.")


class Prediction(BaseModel):
    """One graded photograph."""

    prediction_id: str
    predicted_class: str
    prediction: str = Field(description="The same as predicted_class, for older clients.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability of the class.")
    probabilities: dict[str, float]
    fruit: str
    freshness: Freshness | None
    freshness_score: float | None = Field(description="0 (rotten) to 1 (fresh).")
    freshness_level: Level | None = Field(
        description="By /freshness-thresholds; null for a class without freshness."
    )
    recognised: bool = Field(description="False if the photo shows none of the known classes.")
    interpretation: str
    model_version: str
    inference_time_ms: float
    timestamp: datetime
    explanation: Explanation | None = None

    @classmethod
    def of_grade(cls, grade: Grade, model_version: str) -> "Prediction":
        """Without a heat map `explanation` stays unset, and so is not sent."""
        prediction = cls(
            prediction_id=uuid4().hex,
            predicted_class=grade.class_name,
            prediction=grade.class_name,
            confidence=grade.confidence,
            probabilities=grade.probabilities,
            fruit=grade.fruit,
            freshness=grade.freshness,
            freshness_score=grade.freshness_score,
            freshness_level=grade.freshness_level,
            recognised=grade.recognised,
            interpretation=grade.interpretation,
            model_version=model_version,
            inference_time_ms=round(grade.milliseconds, 3),
            timestamp=datetime.now(UTC),
        )
        if grade.heatmap:
            prediction.explanation = Explanation(heatmap=grade.heatmap)
        return prediction


class BatchPrediction(Prediction):
    """One graded photograph of a batch."""

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
    by_class: dict[str, int] = Field(description="Of the graded, by predicted class.")
    fresh: int
    rotten: int
    by_level: dict[Level, int] = Field(description="Of the graded, by freshness level.")
    unrecognised: int = Field(description="Of the graded: do not rely on their class.")
    model_version: str
    seconds: float


class BatchAnswer(BaseModel):
    results: list[BatchPrediction | BatchFailure]
    summary: BatchSummary
