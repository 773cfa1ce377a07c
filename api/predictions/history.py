"""Finding recorded predictions, also one that may still be on its way to the catalog."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from api.core.errors import NotFoundError
from api.predictions.recorder import Recorder
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import FeedbackRow, PredictionRow

FLUSH_SECONDS = 2.0
# The process that graded it may be another one; it writes several times a second.
ELSEWHERE_SECONDS = 1.0
STEP_SECONDS = 0.1
_ID = re.compile("[0-9a-f]{32}")
# Predictions with the label that people gave them.
_LABELLED = select(PredictionRow, FeedbackRow.label).outerjoin(
    FeedbackRow, FeedbackRow.prediction_id == PredictionRow.id
)


class PredictionNotFoundError(NotFoundError):
    code = "prediction-not-found"

    def __init__(self, prediction_id: str) -> None:
        super().__init__(
            f"There is no prediction '{prediction_id[:40]}'. Send the prediction_id that "
            "POST /predict gave, or one of GET /predictions."
        )


class PhotographGoneError(NotFoundError):
    code = "photograph-gone"
    detail = (
        "The photograph of this prediction is not kept (any more); RIPELINE_KEEP_PREDICTED_DAYS "
        "says for how long photographs are."
    )


def matching(
    class_name: str | None, recognised: bool | None, below: float | None, model_version: str | None
) -> list[ColumnElement[bool]]:
    """The conditions of a query for some of the predictions; None means any.

    `below` is a confidence.
    """
    wanted = {
        PredictionRow.predicted_class: class_name,
        PredictionRow.recognised: recognised,
        PredictionRow.model_version: model_version,
    }
    chosen = [column == value for column, value in wanted.items() if value is not None]
    return chosen if below is None else [*chosen, PredictionRow.confidence < below]


def listed(
    session: Session, wanted: list[ColumnElement[bool]], offset: int, limit: int
) -> Sequence[tuple[PredictionRow, str | None]]:
    """Predictions with the label that people gave them, newest first."""
    query = _LABELLED.where(*wanted).order_by(PredictionRow.created_at.desc(), PredictionRow.id)
    return session.execute(query.offset(offset).limit(limit)).all()


def count(session: Session, wanted: list[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(PredictionRow).where(*wanted)
    return session.scalar(query) or 0


def find_recorded(
    database: Database, recorder: Recorder, prediction_id: str, patience: float = ELSEWHERE_SECONDS
) -> tuple[PredictionRow, str | None]:
    """The prediction and the label that it was given.

    Waits up to `patience` seconds for one that another process graded just now. Raises
    PredictionNotFoundError.
    """
    if not _ID.fullmatch(prediction_id):
        raise PredictionNotFoundError(prediction_id)
    recorder.flush(FLUSH_SECONDS)
    looking = Retrying(
        retry=retry_if_exception_type(PredictionNotFoundError),
        stop=stop_after_delay(patience),
        wait=wait_fixed(STEP_SECONDS),
        reraise=True,
    )
    return looking(_find, database, prediction_id)


def _find(database: Database, prediction_id: str) -> tuple[PredictionRow, str | None]:
    query = _LABELLED.where(PredictionRow.id == prediction_id)
    with database.reading() as session:
        if found := session.execute(query).one_or_none():
            return found
    raise PredictionNotFoundError(prediction_id)


def kept_photograph_of(blobs: Blobs, prediction: PredictionRow) -> bytes:
    """The JPEG. Raises PhotographGoneError."""
    if prediction.blob is None:
        raise PhotographGoneError()
    try:
        return blobs.get(prediction.blob)
    except FileNotFoundError:  # Swept this moment, or lost with the power.
        raise PhotographGoneError() from None
