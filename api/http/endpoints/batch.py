"""`POST /predict/batch`: grade many photos."""

from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from api.catalog.archive import UploadLimits
from api.http.deps import SettingsDep, StateDep
from api.http.problems import responses
from api.http.row_stream import NDJSON, row_stream
from api.http.upload_form import FILES, describe_form, upload_form
from api.model.instances import check_detector
from api.predictions.batch import Batch, batch_items
from api.predictions.schemas import BatchAnswer
from api.storage.ids import ID_PATTERN, new_id

BATCH = "/predict/batch"
BatchId = Annotated[
    str, Query(pattern=ID_PATTERN, description="32 hexadecimal digits, as of a new UUID.")
]
router = APIRouter(tags=["predict"])


@router.post(
    BATCH,
    summary="Grade many photos",
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
    instances: bool = False,
    batch_id: BatchId | None = None,
) -> StreamingResponse:
    """Send photos, zips of them, or both, in form fields `files`.

    There is a result for each photo, in order: its grade, or its own error. With
    `Accept: application/x-ndjson` each comes as a line as soon as it is there, and `{"summary": …}`
    as the last. `instances=true` grades each fruit of each photo, as at `/predict`.

    `GET /predictions?batch_id=…` lists the grades again, by the `batch_id` of the summary. Requests
    that send the same new one are one batch.
    """
    predictor = state.serving()
    if instances:
        check_detector(predictor)
    state.batcher.check_capacity()
    limits = UploadLimits(settings.max_zip_files, settings.max_zip_bytes, settings.max_body_bytes)
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(upload_form(request))
        batch = Batch(state, predictor, settings.inference_threads, batch_id or new_id(), instances)
        rows = batch.results(batch_items(form.files, limits))
        # The response closes the files at its end.
        return row_stream(request, rows, batch.summary, stack.pop_all())
