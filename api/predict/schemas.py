"""What `/predict` answers, as clients see it."""

from datetime import UTC, datetime
from uuid import uuid4

from pydantic import BaseModel, Field

from api.dataset.labels import Freshness, Level
from api.predict.runtime import Grade


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
        description="By /freshness-thresholds; null for a class that does not speak of freshness."
    )
    recognised: bool = Field(description="False for what is none of the known classes.")
    interpretation: str
    model_version: str
    inference_time_ms: float
    timestamp: datetime
    explanation: Explanation | None = None

    @classmethod
    def of_grade(cls, grade: Grade, model_version: str) -> "Prediction":
        """The answer of a grade; `explanation` stays unset, and so unsent, without a heat map."""
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
