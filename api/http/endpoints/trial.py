"""`POST /models/compare`: two versions on the same photos before one is promoted."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.catalog.archive import UploadLimits
from api.http.deps import DatabaseDep, Limit, SettingsDep, StateDep
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.http.row_stream import NDJSON, Rows, row_stream
from api.http.upload_form import FILES, describe_form, upload_form
from api.predictions.batch import BatchItem, batch_items
from api.predictions.state import AppState
from api.registry.trial import KeptPhoto, Trial, TrialAnswer, TrialModels, kept_photos
from api.storage.db import Database

COMPARE = "/models/compare"
KEPT = "/models/compare/kept"
router = APIRouter(route_class=CheckedRoute, tags=["models"], responses=responses(503, 507))


async def _trial(request: Request, database: DatabaseDep, a: str, b: str) -> Trial:
    """Raises UnknownModelError, PrunedModelError, DamagedModelError."""
    models: TrialModels = request.app.state.trial_models
    return await run_in_threadpool(models.open_trial, database, a, b)


Days = Annotated[float, Query(gt=0, le=3650, allow_inf_nan=False)]


@router.post(
    COMPARE,
    summary="Compare two versions on uploaded photos",
    openapi_extra=describe_form(files=FILES),
    responses={
        200: {"model": TrialAnswer, "content": {NDJSON: {}}},
        **responses(400, 404, 408, 409, 413, 415, 422, 503, 507),
    },
    response_class=StreamingResponse,
)
async def compare_on_photos(
    request: Request,
    state: StateDep,
    settings: SettingsDep,
    trial: Annotated[Trial, Depends(_trial)],
) -> StreamingResponse:
    """Send photos, zips of photos, or both, as to `/predict/batch`, to have them graded by versions
    `a` and `b`.

    The response has one row per photo, in order, with both grades under the freshness thresholds in
    use. Nothing is stored or counted in monitoring. With `Accept: application/x-ndjson`, each row
    is sent as a line as soon as it is ready.
    """
    state.batcher.check_capacity()
    limits = UploadLimits.of(settings)
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(upload_form(request))
        rows = _rows(trial, batch_items(form.files, limits), state)
        return row_stream(request, rows, trial.summary, stack.pop_all())


@router.post(
    KEPT,
    summary="Compare two versions on kept photos",
    responses={
        200: {"model": TrialAnswer, "content": {NDJSON: {}}},
        **responses(404, 409, 422, 503),
    },
    response_class=StreamingResponse,
)
async def compare_on_kept_photos(
    request: Request,
    state: StateDep,
    database: DatabaseDep,
    trial: Annotated[Trial, Depends(_trial)],
    *,
    days: Days = 7,
    limit: Limit = 200,
) -> StreamingResponse:
    """Grade the newest photos of the last `days` days that are still kept with versions `a` and
    `b`, as `POST /models/compare` does.

    Dismissed predictions are left out. Each row has the ID of its prediction.
    """
    state.batcher.check_capacity()
    photos = await run_in_threadpool(_kept, database, days, limit)
    rows = _kept_rows(trial, photos, state)
    return row_stream(request, rows, trial.summary, AsyncExitStack())


def _kept(database: Database, days: float, limit: int) -> list[KeptPhoto]:
    with database.reading() as session:
        return kept_photos(session, days, limit)


async def _kept_rows(trial: Trial, photos: list[KeptPhoto], state: AppState) -> Rows:
    for index, photo in enumerate(photos):
        grade = partial(trial.kept_result, index, photo, state.blobs)
        yield [await state.run_part(grade)]


async def _rows(trial: Trial, items: Iterator[BatchItem], state: AppState) -> Rows:
    """One photo at a time, so that photos of /predict get their turn in between."""
    results = trial.results(items)
    while row := await state.run_part(next, results, None):
        yield [row]
