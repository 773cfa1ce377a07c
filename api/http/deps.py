"""Dependencies of endpoints, as annotated aliases, and path parameters that hold names.

Lookups are `async`: FastAPI calls other dependencies in a thread, and the request would have to
wait while all threads are busy.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, cast

from fastapi import Depends, Header, Query, Request
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from sqlalchemy.orm import Session
from starlette.convertors import StringConvertor, register_url_convertor

from api.catalog.duplicate_index import KnownPhotos, load_training_index
from api.core.errors import CatalogUnavailableError
from api.model.training_index import TrainingIndex
from api.predictions.history import wait_until_recorded
from api.predictions.state import AppState
from api.retraining.queue import RunQueue
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _state(request: Request) -> AppState:
    return cast(AppState, request.app.state.service)


async def _queue(request: Request) -> RunQueue:
    return cast(RunQueue, request.app.state.queue)


def _written_out(value: str) -> str:
    """Raises ValueError for a number, which Pydantic would take for seconds since 1970."""
    if not re.match(r"\d{4}-", value):
        raise ValueError("write it as 2026-11-29T10:00:00Z")
    return value


def _in_range(moment: datetime) -> datetime:
    """The nearest moment that all time zones and databases can hold; no data is that old or new."""
    return min(max(moment, _EARLIEST), _LATEST)


_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_range)]
LIMIT = "Maximum number of items to return."
# PostgreSQL refuses null characters in text.
Text = Annotated[
    str,
    Query(max_length=80, pattern=r"^[^\x00]*$"),
    # Stored texts are in this form.
    AfterValidator(partial(unicodedata.normalize, "NFC")),
]
Limit = Annotated[int, Query(ge=1, le=1000, description=LIMIT)]
PageLimit = Annotated[int, Query(ge=1, le=200, description=LIMIT)]
Offset = Annotated[int, Query(ge=0, le=10**9, description="Number of items to skip.")]
Restorable = Annotated[
    bool,
    Query(description="true: make the removal restorable; false: delete permanently."),
]
ThumbnailSize = Annotated[
    int, Query(ge=64, le=1024, description="Longest side in pixels, 64 to 1024.")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text that no other request has, for example a UUID. A request that is "
        "sent again with the same key and photos returns the same `prediction_id`s, and each "
        "photo is recorded once.",
    ),
]
SettingsDep = Annotated[Settings, Depends(_settings)]
StateDep = Annotated[AppState, Depends(_state)]
QueueDep = Annotated[RunQueue, Depends(_queue)]


async def _blobs(state: StateDep) -> Blobs:
    return state.blobs


async def _database(state: StateDep) -> Database:
    """Raises CatalogUnavailableError until the catalog has been opened."""
    if state.catalog_problem:
        raise CatalogUnavailableError()
    return state.database


BlobsDep = Annotated[Blobs, Depends(_blobs)]
DatabaseDep = Annotated[Database, Depends(_database)]


def _session(database: DatabaseDep) -> Iterator[Session]:
    """One transaction per request, committed before the response is sent."""
    with database.session() as session:
        yield session


def _reading(database: DatabaseDep) -> Iterator[Session]:
    with database.reading() as session:
        yield session


def _training_index(settings: SettingsDep, state: StateDep) -> TrainingIndex:
    """The index of the serving version. Only the shipped package has no copy in the cache."""
    predictor = state.predictor
    copy = settings.model_cache / predictor.manifest.version if predictor else None
    return load_training_index(copy if copy and copy.is_dir() else settings.model_dir)


TrainingIndexDep = Annotated[TrainingIndex, Depends(_training_index)]


async def _known_photos(
    state: StateDep, blobs: BlobsDep, training_index: TrainingIndexDep
) -> KnownPhotos:
    """The embeddings in the index are from the serving version's backbone."""
    predictor = state.predictor
    return KnownPhotos(blobs, training_index, predictor.embed_image if predictor else None)


async def _recorded_id(prediction_id: str, state: StateDep, database: DatabaseDep) -> str:
    """The ID of a prediction that is in the catalog.

    Raises PredictionNotFoundError, NotRecordedYetError.
    """
    await wait_until_recorded(database, state.recorder, prediction_id)
    return prediction_id


RecordedId = Annotated[str, Depends(_recorded_id)]
SessionDep = Annotated[Session, Depends(_session, scope="function")]
ReadingDep = Annotated[Session, Depends(_reading, scope="function")]
KnownPhotosDep = Annotated[KnownPhotos, Depends(_known_photos)]

# These are paths, not names: `GET /models/rollback` is a 405, not a lookup of a version.
RESERVED = ("compare", "history", "rollback", "relabel", "remove", "export")


class _Name(StringConvertor):
    regex = rf"(?!(?:{'|'.join(RESERVED)})(?:/|$))[^/]+"


register_url_convertor("name", _Name())
VERSION = "{version:name}"
IMAGE_ID = "{image_id:name}"
PHOTO_ID = "{photo_id:name}"
