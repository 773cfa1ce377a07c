"""`POST /predict`: grade one photo."""

from fastapi import APIRouter, Request, Response

from api.http.deps import StateDep
from api.http.photo_upload import OPENAPI, read_photo
from api.http.problems import responses
from api.model.instances import check_detector
from api.model.predictor import PredictRequest
from api.predictions.schemas import Prediction

PREDICT = "/predict"
router = APIRouter(tags=["predict"])


@router.post(
    PREDICT,
    summary="Grade one photo",
    openapi_extra=OPENAPI,
    response_model=Prediction,
    responses=responses(400, 408, 409, 413, 415, 422, 503, 507),
)
async def predict(
    request: Request, state: StateDep, explain: bool = False, instances: bool = False
) -> Response:
    """Send JPEG, PNG, WebP, BMP, HEIC or AVIF, as the form field `file` or as the body itself.

    `explain=true` adds a heat map of the areas that influenced the grade of the whole photo.

    `instances=true` finds the fruits of the photo and grades each: it adds `image`, `instances`
    (best first, at most 50), `several` and `summary`. 409 `no-detector` if the model in use cannot;
    `/model-info` says so (`finds_fruits`).
    """
    predictor = state.serving()
    if instances:
        check_detector(predictor)
    state.batcher.check_capacity()
    upload = await read_photo(request)
    grade = await state.batcher.predict(predictor, PredictRequest(upload.data, explain, instances))
    prediction = state.build_response(grade, predictor.manifest.version, upload.filename)
    # A Response is sent as it is; FastAPI would validate and serialize a model once more.
    return Response(prediction.model_dump_json(exclude_unset=True), media_type="application/json")
