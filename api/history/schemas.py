"""Earlier predictions as clients see them."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from api.dataset.labels import Level
from api.predict.tables import PredictionRow

# PostgreSQL takes no text with a null character in it.
Text = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]


class RecordedPrediction(BaseModel):
    """One prediction of the past."""

    prediction_id: str
    timestamp: datetime
    model_version: str
    predicted_class: str
    confidence: float
    probabilities: dict[str, float]
    recognised: bool
    freshness_score: float | None
    freshness_level: Level | None = Field(description="As it was answered then.")
    inference_time_ms: float
    filename: str
    photograph_kept: bool
    label: str | None = Field(description="The class that a person said it is.")

    @classmethod
    def of(cls, row: PredictionRow, label: str | None) -> "RecordedPrediction":
        return cls(
            prediction_id=row.id,
            timestamp=row.created_at,
            model_version=row.model_version,
            predicted_class=row.predicted_class,
            confidence=row.confidence,
            probabilities=row.probabilities,
            recognised=row.recognised,
            freshness_score=row.freshness_score,
            freshness_level=row.freshness_level,
            inference_time_ms=row.milliseconds,
            filename=row.filename,
            photograph_kept=row.blob is not None,
            label=label,
        )


class PredictionPage(BaseModel):
    total: int
    offset: int
    limit: int
    predictions: list[RecordedPrediction]
