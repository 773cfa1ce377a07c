"""One recorded prediction, even while it is still being written. `search` finds many."""

import asyncio
import re
from http import HTTPStatus
from threading import BoundedSemaphore

from anyio import to_thread
from PIL import Image
from sqlalchemy import exists, select
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from api.catalog.duplicate_index import read_signatures
from api.core.errors import ConflictError, NotFoundError, ProblemError
from api.core.imaging.hashing import near_rows, perceptual_hash
from api.predictions.recorder import Recorder
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.predictions import PredictionRow

FLUSH_SECONDS = 5.0
# Another process may have graded it; it writes several times a second.
OTHER_PROCESS_SECONDS = 1.0
POLL_SECONDS = 0.1
# Requests that may wait for other processes. Each takes one of 40 threads.
MAX_WAITING = 4
WAITING = BoundedSemaphore(MAX_WAITING)
# What `uuid4` makes, and `uuid5` with an Idempotency-Key.
_ID = re.compile("[0-9a-f]{12}[45][0-9a-f]{3}[89ab][0-9a-f]{15}")


class PredictionNotFoundError(NotFoundError):
    code = "prediction-not-found"

    def __init__(self, prediction_id: str) -> None:
        super().__init__(
            f"There is no prediction '{prediction_id[:40]}'. Send the prediction_id that "
            "POST /predict gave, or one of GET /predictions."
        )


class NotRecordedYetError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not-recorded-yet"
    retry_after_seconds = 5
    detail = (
        "This prediction waits to be written into the catalog, so nothing was changed. Try this "
        "again in some seconds; GET /status says what is wrong if that takes long."
    )


class OtherVersionError(ConflictError):
    code = "other-version"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"This prediction is by version {version}, and another one is in use now. Grade the "
            "photo again, without prediction_id."
        )


class OtherPhotoError(ConflictError):
    code = "other-photo"
    detail = (
        "This is not the photo of that prediction. Send its own photo, or leave out prediction_id "
        "to have this one graded."
    )


class PhotographGoneError(NotFoundError):
    code = "photograph-gone"
    detail = (
        "The photo of this prediction is not, or no longer, kept; RIPELINE_KEEP_PREDICTED_DAYS "
        "says for how long photos are kept."
    )


async def wait_until_recorded(
    database: Database,
    recorder: Recorder,
    prediction_id: str,
    timeout: float = OTHER_PROCESS_SECONDS,
) -> None:
    """Like `find_recorded`, but no thread waits, so any number of requests may wait."""
    if not _ID.fullmatch(prediction_id):
        raise PredictionNotFoundError(prediction_id)
    waited = 0.0
    while recorder.is_pending(prediction_id) and not recorder.problem and waited < FLUSH_SECONDS:
        await asyncio.sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    waited, pause = 0.0, POLL_SECONDS
    while not recorder.is_pending(prediction_id):
        if await to_thread.run_sync(_exists, database, prediction_id):
            return
        if waited >= timeout:
            raise PredictionNotFoundError(prediction_id)
        await asyncio.sleep(pause)
        waited, pause = waited + pause, 2 * pause
    raise NotRecordedYetError()


def find_recorded(
    database: Database,
    recorder: Recorder,
    prediction_id: str,
    timeout: float = OTHER_PROCESS_SECONDS,
) -> PredictionRow:
    """The prediction, once it is in the catalog.

    Waits up to FLUSH_SECONDS for this process to write it, and up to `timeout` seconds for another
    one. Raises PredictionNotFoundError, or NotRecordedYetError, also if MAX_WAITING already wait.
    """
    if not _ID.fullmatch(prediction_id):
        raise PredictionNotFoundError(prediction_id)
    recorder.flush(FLUSH_SECONDS)
    if recorder.is_pending(prediction_id):
        raise NotRecordedYetError()
    try:
        return _find(database, prediction_id)
    except PredictionNotFoundError:
        if not timeout:
            raise
    if not WAITING.acquire(blocking=False):
        raise NotRecordedYetError()
    retry = Retrying(
        retry=retry_if_exception_type(PredictionNotFoundError),
        stop=stop_after_delay(timeout),
        wait=wait_fixed(POLL_SECONDS),
        reraise=True,
    )
    try:
        return retry(_find, database, prediction_id)
    finally:
        WAITING.release()


def check_explainable(
    database: Database, recorder: Recorder, prediction_id: str, version: str
) -> str | None:
    """Check that `version` can explain a prediction: it must have made it.

    Returns the signature of the prediction's photo, in hexadecimal, if it was stored. Raises
    OtherVersionError and what `find_recorded` raises.
    """
    row = find_recorded(database, recorder, prediction_id)
    if row.model_version != version:
        raise OtherVersionError(row.model_version)
    return row.signature


def check_same_photo(signature: str | None, thumbnail: Image.Image | None) -> None:
    """Raises OtherPhotoError unless the thumbnail's signature is (nearly) the same."""
    if signature is None or thumbnail is None:
        return
    if not len(near_rows(perceptual_hash(thumbnail), read_signatures([signature]))):
        raise OtherPhotoError()


def _find(database: Database, prediction_id: str) -> PredictionRow:
    with database.reading() as session:
        if row := session.get(PredictionRow, prediction_id):
            return row
    raise PredictionNotFoundError(prediction_id)


def _exists(database: Database, prediction_id: str) -> bool:
    with database.reading() as session:
        return bool(session.scalar(select(exists().where(PredictionRow.id == prediction_id))))


def load_image(blobs: Blobs, prediction: PredictionRow) -> bytes:
    """The stored JPEG. Raises PhotographGoneError."""
    if prediction.blob is None:
        raise PhotographGoneError()
    # None if it was just deleted, was lost in a power failure, or is on a bad sector.
    data = blobs.get_if_readable(prediction.blob)
    if data is None:
        raise PhotographGoneError()
    return data
