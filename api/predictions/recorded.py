"""API schemas of recorded predictions."""

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
from api.storage.tables.predictions import PredictionRow


class RecordedPrediction(BaseModel):
    """One recorded prediction."""

    prediction_id: str
    timestamp: datetime = Field(description="When the photo was graded, in UTC.")
    model_version: str = Field(description="Version that graded the photo.")
    predicted_class: str = Field(description="Most probable class, even if not `recognised`.")
    confidence: float = Field(description="Calibrated probability of the predicted class, 0 to 1.")
    probabilities: dict[str, float] = Field(
        description="Calibrated probability of each class; their sum is 1."
    )
    recognised: bool = Field(description="False if the photo shows none of the known classes.")
    freshness_score: float | None = Field(
        description="Freshness score from 0 (rotten) to 1 (fresh); null if the model has no "
        "freshness classes."
    )
    freshness_level: Level | None = Field(description="Level as returned at the time.")
    freshness_thresholds: UsedThresholds | None = Field(
        description="Thresholds that decided the level; null if no fruit of the version had its "
        "own thresholds at the time."
    )
    inference_time_ms: float = Field(description="Computing time in milliseconds, without waiting.")
    filename: str = Field(description="Name of the file without folders, at most 255 characters.")
    photograph_kept: bool = Field(description="Whether the photo is still stored.")
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

    fruit: str = Field(description="Fruit that the predicted class names.")
    freshness: Freshness | None = Field(
        description="Freshness that the predicted class names; null if it names none."
    )
    interpretation: str = Field(description="The grade in words, in English.")
    several: bool | None = Field(
        description="Whether the photo shows more than one fruit; null if unknown."
    )
    image: ImageSize | None = Field(
        description="Size of the photo; null, like `instances` and `summary`, unless the request "
        "had `instances=true`."
    )
    instances: list[Instance] | None = Field(
        description="Fruits found in the photo, highest detection score first."
    )
    summary: InstanceSummary | None = Field(description="Totals for `instances`.")
    batch_id: str | None = Field(
        description="ID of the batch that the photo was sent in; null if it was sent alone."
    )
    inspection_id: str | None = Field(
        description="ID of the inspection that the photo belongs to; null if there is none."
    )
    lot: str | None = Field(description="Lot of that inspection; null if there is none.")
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
