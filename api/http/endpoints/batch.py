"""`POST /predict/batch`: grade many photos."""

from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from api.catalog.archive import UploadLimits
from api.http.deps import IdempotencyKey, SettingsDep, StateDep
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.http.row_stream import NDJSON, row_stream
from api.http.upload_form import FILES, describe_form, upload_form
from api.model.instances import check_detector
from api.predictions.batch import Batch, batch_items
from api.predictions.schemas import BatchAnswer
from api.storage.ids import ID_PATTERN, new_id

BATCH = "/predict/batch"
BatchId = Annotated[
    str,
    Query(
        pattern=ID_PATTERN,
        description="ID of the batch: 32 hexadecimal digits, for example a UUID without hyphens. "
        "Default: a new ID.",
    ),
]
router = APIRouter(route_class=CheckedRoute, tags=["predict"])


@router.post(
    BATCH,
    summary="Grade a batch of photos",
    openapi_extra=describe_form(files=FILES),
    responses={
        200: {"model": BatchAnswer, "content": {NDJSON: {}}},
        **responses(400, 408, 409, 413, 415, 422, 503, 507),
    },
    response_class=StreamingResponse,
)
async def predict_batch(
    request: Request,
    state: StateDep,
    settings: SettingsDep,
    *,
    instances: Annotated[
        bool, Query(description="Detect the fruits in the photo and grade each of them.")
    ] = False,
    batch_id: BatchId | None = None,
    idempotency_key: IdempotencyKey = None,
) -> StreamingResponse:
    """Send photos, zips of photos, or both, in the form field `files`.

    The response has one result per photo, in order: a grade or an error. With
    `Accept: application/x-ndjson`, each result is sent as a line as soon as it is ready, and
    `{"summary": …}` as the last line. `instances=true` detects and grades each fruit of each photo,
    as in `/predict`.

    `GET /predictions?batch_id=…` lists the grades later, by the `batch_id` in the summary. Send the
    same new `batch_id` with several requests to make them one batch. With an `Idempotency-Key`,
    a request that was cut off can be sent again: its photos are recorded once.
    """
    predictor = state.serving()
    if instances:
        check_detector(predictor)
    state.batcher.check_capacity()
    limits = UploadLimits.of(settings)
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(upload_form(request))
        threads, name = settings.inference_threads, batch_id or new_id()
        batch = Batch(state, predictor, threads, name, instances, idempotency_key)
        rows = batch.results(batch_items(form.files, limits))
        # The response closes the files at its end.
        return row_stream(request, rows, batch.summary, stack.pop_all())
