"""Finding a prediction that may still be on its way to the catalog."""

import re

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from api.blobs import Blobs
from api.db import Database
from api.history import repository
from api.history.errors import PhotographGoneError, PredictionNotFoundError
from api.predict.recorder import Recorder
from api.predict.tables import PredictionRow

FLUSH_SECONDS = 2.0
# The process that graded it may be another one; it writes several times a second.
ELSEWHERE_SECONDS = 1.0
STEP_SECONDS = 0.1
_ID = re.compile("[0-9a-f]{32}")


def find_recorded(
    database: Database,
    recorder: Recorder,
    prediction_id: str,
    patience: float = ELSEWHERE_SECONDS,
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
    with database.reading() as session:
        if found := repository.find(session, prediction_id):
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
