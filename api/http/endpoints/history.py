"""`/predictions`: recorded predictions and their photos."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.core.errors import ProblemError
from api.core.imaging.resize import thumbnail
from api.core.labels import Level
from api.http.deps import (
    BlobsDep,
    DatabaseDep,
    Offset,
    RecordedId,
    SettingsDep,
    StateDep,
    ThumbnailSize,
)
from api.http.problems import responses
from api.predictions import history
from api.predictions.history import (
    FLUSH_SECONDS,
    PhotographGoneError,
    find_recorded,
    load_image,
)
from api.storage.tables import PredictionRow

# PostgreSQL refuses null characters in text.
Text = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]
router = APIRouter(tags=["predictions"], responses=responses(503))


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


@router.get("/predictions", summary="List predictions, newest first", responses=responses(422))
def predictions(
    state: StateDep,
    database: DatabaseDep,
    *,
    class_name: Text | None = None,
    recognised: bool | None = None,
    below: Annotated[
        float | None,
        Query(ge=0, le=1, description="Only predictions with a confidence below this."),
    ] = None,
    model_version: Text | None = None,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PredictionPage:
    conditions = history.filters(class_name, recognised, below, model_version)
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        rows = history.list_predictions(session, conditions, offset, limit)
        total = history.count(session, conditions)
    return PredictionPage(
        total=total,
        offset=offset,
        limit=limit,
        predictions=[RecordedPrediction.of(*row) for row in rows],
    )


@router.get("/predictions/{prediction_id}", summary="One prediction", responses=responses(404, 422))
def prediction(
    state: StateDep, database: DatabaseDep, prediction_id: RecordedId
) -> RecordedPrediction:
    return RecordedPrediction.of(*find_recorded(database, state.recorder, prediction_id))


@router.get(
    "/predictions/{prediction_id}/photograph",
    summary="Thumbnail of a graded photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **responses(404, 422)},
)
def photograph(
    state: StateDep,
    database: DatabaseDep,
    *,
    blobs: BlobsDep,
    settings: SettingsDep,
    prediction_id: RecordedId,
    size: ThumbnailSize = 256,
) -> Response:
    """A JPEG, upright and without metadata; 404 once the photograph is no longer kept."""
    row, _ = find_recorded(database, state.recorder, prediction_id)
    data = load_image(blobs, row)
    try:
        small = thumbnail(data, size, settings.max_pixels)
    except ProblemError as error:  # Damaged on disk.
        raise PhotographGoneError() from error
    # Short, because retention deletes the photo here as well.
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(small, headers=headers, media_type="image/jpeg")
