"""Recorded predictions in answers."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from api.core.labels import Freshness, Level, read_label
from api.model.interpretation import describe
from api.predictions.schemas import (
    FoundFruits,
    ImageSize,
    Instance,
    InstanceSummary,
    UsedThresholds,
)
from api.predictions.search import Found
from api.storage.tables import PredictionRow


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
    freshness_level: Level | None = Field(description="Level as returned at the time.")
    freshness_thresholds: UsedThresholds | None = Field(
        description="Thresholds that decided the level; null if no fruit of the version had its "
        "own thresholds at the time."
    )
    inference_time_ms: float
    filename: str
    photograph_kept: bool
    label: str | None = Field(
        description="Correct class according to a user; null without feedback."
    )

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
            freshness_thresholds=UsedThresholds.of_columns(row.rotten_below, row.fresh_from),
            inference_time_ms=row.milliseconds,
            filename=row.filename,
            photograph_kept=row.blob is not None,
            label=label,
        )


class HistoryItem(RecordedPrediction):
    """A recorded prediction with everything known about it."""

    fruit: str
    freshness: Freshness | None
    interpretation: str
    several: bool | None = Field(
        description="Whether the photo shows more than one fruit; null if unknown."
    )
    image: ImageSize | None = Field(
        description="Size of the photo; null, like `instances` and `summary`, unless the request "
        "had `instances=true`."
    )
    instances: list[Instance] | None
    summary: InstanceSummary | None
    batch_id: str | None
    inspection_id: str | None
    lot: str | None
    dismissed_at: datetime | None = Field(
        description="When the prediction was dismissed as not a fruit; null if it was not."
    )

    @classmethod
    def of_found(cls, found: Found) -> Self:
        row, label = found.row, read_label(found.row.predicted_class)
        fruits = FoundFruits.model_validate_json(row.fruits) if row.fruits else None
        return cls(
            **RecordedPrediction.of(row, found.label).model_dump(),
            fruit=label.fruit,
            freshness=label.freshness,
            interpretation=describe(
                row.probabilities, row.recognised, row.freshness_level, several=bool(row.several)
            ),
            several=row.several,
            image=fruits.image if fruits else None,
            instances=fruits.instances if fruits else None,
            summary=fruits.summary if fruits else None,
            batch_id=row.batch_id,
            inspection_id=found.inspection_id,
            lot=found.lot,
            dismissed_at=row.dismissed_at,
        )
