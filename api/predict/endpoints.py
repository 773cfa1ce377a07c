"""`POST /predict`: one photograph in, one graded photograph out."""

import asyncio

from fastapi import APIRouter, Request

from api.deps import StateDep
from api.predict.schemas import Prediction
from api.predict.served import serve
from api.predict.upload import OPENAPI, read_photograph
from api.problems import responses

PREDICT = "/predict"
router = APIRouter(tags=["predict"])


@router.post(
    PREDICT,
    summary="Grade one photograph",
    openapi_extra=OPENAPI,
    responses=responses(400, 413, 415, 422, 503),
    response_model_exclude_unset=True,
)
async def predict(request: Request, state: StateDep, explain: bool = False) -> Prediction:
    """Send JPEG, PNG, WebP, BMP or HEIC, as the form field `file` or as the body itself.

    `explain=true` adds a heat map of what the class was told by.
    """
    runtime = state.serving()
    upload = await read_photograph(request)
    loop = asyncio.get_running_loop()
    grade = await loop.run_in_executor(state.pool, runtime.grade, upload.data, explain)
    return serve(state, grade, runtime.manifest.version, upload.filename)
