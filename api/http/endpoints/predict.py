"""`POST /predict`: grade one photo."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask

from api.core import telemetry
from api.core.errors import UnprocessableError
from api.http.deps import IdempotencyKey, StateDep
from api.http.photo_upload import OPENAPI, read_photo
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.model.instances import check_detector
from api.model.predictor import PredictRequest
from api.model.trace import trace_steps
from api.predictions.history import check_explainable, check_same_photo, wait_until_recorded
from api.predictions.record import prediction_id_of
from api.predictions.schemas import Prediction

PREDICT = "/predict"
Explained = Annotated[
    str | None,
    Query(
        description="ID of an earlier prediction of the same photo to explain. Requires "
        "`explain=true`; without it the response is 422 `nothing-to-explain`."
    ),
]
Explain = Annotated[
    bool | Literal["full"],
    Query(
        description="true: add a heat map; full: add a heat map and the output of each step of "
        "the grading."
    ),
]
Recorded = Annotated[
    bool,
    Query(
        description="false: grade the photo without recording it, as for the frames of a live "
        "camera. The photo is not kept and does not count in the history or in monitoring, and "
        "its `prediction_id` cannot be looked up."
    ),
]
router = APIRouter(route_class=CheckedRoute, tags=["predict"])


class NothingToExplainError(UnprocessableError):
    code = "nothing-to-explain"
    detail = "A prediction_id goes with explain=true: it asks for the heat map of that prediction."


@router.post(
    PREDICT,
    summary="Grade a photo",
    openapi_extra=OPENAPI,
    response_model=Prediction,
    responses=responses(400, 404, 408, 409, 413, 415, 422, 503, 507),
)
async def predict(
    request: Request,
    state: StateDep,
    *,
    explain: Explain = False,
    instances: Annotated[
        bool, Query(description="Detect the fruits in the photo and grade each of them.")
    ] = False,
    prediction_id: Explained = None,
    record: Recorded = True,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send a JPEG, PNG, WebP, BMP, HEIC or AVIF image, as the form field `file` or as the request
    body.

    `explain=true` adds a heat map of the areas that influenced the grade of the whole photo.
    `explain=full` also adds the output of each step of the grading, for debugging.

    With the `prediction_id` of an earlier prediction of the same photo, the response is that
    prediction with its heat map, and nothing is counted or recorded again. Returns 409
    `other-photo` for another photo.

    `instances=true` detects the fruits in the photo and grades each of them: it adds `image`,
    `instances` (highest detection score first, at most 50), `several` and `summary`. Returns 409
    `no-detector` if the current version has no fruit detector (`finds_fruits` in `/model-info`).

    `record=false` grades the photo without recording anything. With an `Idempotency-Key`, a
    request whose response was lost can be sent again: the photo is recorded once.
    """
    predictor, signature = state.serving(), None
    if instances:
        check_detector(predictor)
    if prediction_id is not None:
        if not explain:
            raise NothingToExplainError()
        known = (state.database, state.recorder)
        version = predictor.manifest.version
        await wait_until_recorded(*known, prediction_id)
        signature = await run_in_threadpool(check_explainable, *known, prediction_id, version)
    state.batcher.check_capacity()
    counted = record and prediction_id is None
    with telemetry.counting_failures(recorded=counted):
        upload = await read_photo(request)
        wanted = PredictRequest(upload.data, bool(explain), instances)
        grade = await state.batcher.predict(predictor, wanted)
        check_same_photo(signature, grade.hash_thumbnail)
    version = predictor.manifest.version
    after = None
    if counted:
        name = None
        if idempotency_key is not None:
            name = await run_in_threadpool(prediction_id_of, idempotency_key, 0, upload.data)
        prediction = state.build_response(grade, version, upload.filename, prediction_id=name)
        if state.shadow is not None and not instances:
            after = BackgroundTask(state.shadow, upload.data, prediction)
    else:
        prediction = Prediction.of_grade(grade, version)
        prediction.prediction_id = prediction_id or prediction.prediction_id
    # A Response is sent unchanged; FastAPI would validate and serialize a model again.
    if explain == "full" and prediction.explanation:
        prediction.explanation.trace = await state.run_part(trace_steps, predictor, upload.data)
    body = prediction.model_dump_json(exclude_unset=True)
    return Response(body, media_type="application/json", background=after)
