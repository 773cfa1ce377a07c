"""`/live`, `/ready`, `/health`, `/status`, `/model-info` and the front page `/`."""

import html
from datetime import UTC, datetime
from string import Template
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from api import __version__
from api.core.errors import EndingError
from api.http.deps import SettingsDep, StateDep
from api.http.problems import responses
from api.model.engines.choice import EngineInfo
from api.model.manifest import Manifest
from api.predictions.state import AppState
from api.retraining import repository as runs
from api.settings import Promoter
from api.storage.db import UNAVAILABLE
from api.storage.failures import describe

IDLE = "idle"
UNKNOWN = "unknown"
# Without the reason, which contains paths on the server.
MODEL_PROBLEM = (
    "The files of the current version are damaged or cannot be read; the service log says which. "
    "Promote another version, or restore a backup."
)
router = APIRouter(tags=["health"])


class Live(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


class Health(BaseModel):
    status: Literal["healthy"] = Field(
        default="healthy", description="Always healthy; `/ready` says whether photos can be graded."
    )
    uptime_seconds: float = Field(description="Time since this process started, in seconds.")
    prediction_count: int = Field(
        description="Number of predictions by all processes since the service started."
    )
    timestamp: datetime = Field(description="Time of the response, in UTC.")
    model_loaded: bool = Field(description="Whether this process has a model to grade with.")
    api_version: str = Field(description="Version of the service.")


class Status(BaseModel):
    api_status: Literal["online"] = "online"
    model_loaded: bool = Field(description="Whether this process has a model to grade with.")
    model_classes: tuple[str, ...] = Field(
        description="Classes of the current version; empty without a model."
    )
    total_predictions: int = Field(
        description="Number of predictions by all processes since the service started."
    )
    uptime_seconds: float = Field(description="Time since this process started, in seconds.")
    training_status: str = Field(
        description="State of the newest run: queued, running, succeeded, failed, cancelled or "
        "interrupted; idle before the first run; unknown while the catalog is unavailable."
    )
    model_problem: str | None = Field(
        description="What is wrong with the files of the current version; null if nothing is."
    )
    catalog_problem: str | None = Field(
        description="Why the catalog cannot be used; null if it can. Photos are graded in any case."
    )
    storage_problem: str | None = Field(
        description="Why this process cannot read or write the store of photos and models at the "
        "moment; null if it can."
    )
    recording_problem: str | None = Field(
        description="Why this process cannot record predictions at the moment; null if it can."
    )
    last_model_update: datetime | None = Field(
        description="When the current version was put in use; null if unknown."
    )


class ModelSummary(BaseModel):
    """Short form of the manifest of the current version."""

    version: str
    parent: str | None = Field(
        description="Version that this one was made from; null if there is none."
    )
    created_at: datetime = Field(description="When the version was made, in UTC.")
    champion_since: datetime | None = Field(
        description="When the version was put in use, in UTC; null if unknown."
    )
    classes: tuple[str, ...] = Field(
        description="Class names, in the order of the model's outputs."
    )
    architecture: str
    input_size: int = Field(description="Side length of the square input, in pixels.")
    parameters: int = Field(description="Number of parameters of the network and its head.")
    preprocessing: str = Field(description="How a photo becomes the network's input, in words.")
    metrics: dict[str, Any] = Field(description="Metrics on held-out photos, by section.")
    thresholds: dict[str, float] = Field(description="Calibration of the head, as in the manifest.")
    data: dict[str, Any] = Field(
        description="Fingerprint of the photos that the version was trained and tested on."
    )
    finds_fruits: bool = Field(
        description="Whether the version can detect and grade each fruit in a photo "
        "(`/predict?instances=true`)."
    )

    @classmethod
    def of(cls, manifest: Manifest, champion_since: datetime | None) -> "ModelSummary":
        fields = manifest.model_dump(include=set(cls.model_fields))
        finds = manifest.detector is not None
        return cls.model_validate(
            {**fields, "champion_since": champion_since, "finds_fruits": finds}
        )


class ModelInfo(BaseModel):
    status: Literal["loaded", "no model"]
    uptime_seconds: float = Field(description="Time since this process started, in seconds.")
    prediction_count: int = Field(
        description="Number of predictions by all processes since the service started."
    )
    model_info: ModelSummary | None = Field(
        description="The current version; null without a model."
    )
    model_problem: str | None = Field(
        default=None,
        description="What is wrong with the files of the current version; null if nothing is.",
    )
    engine: EngineInfo | None = Field(
        description="Inference engine of this process, chosen by RIPELINE_ENGINE; null without a "
        "model."
    )
    promote: Promoter = Field(
        description="Who promotes a version that passed the promotion gate; set by "
        "RIPELINE_PROMOTE."
    )


def training_status(state: AppState) -> tuple[str, str | None]:
    """The state of the newest run, `unknown` if the catalog cannot be used, and why it cannot."""
    if state.catalog_problem:
        return UNKNOWN, state.catalog_problem
    try:
        with state.database.reading() as session:
            newest = runs.newest(session, limit=1)
            return newest[0].state if newest else IDLE, None
    except UNAVAILABLE as error:
        return UNKNOWN, describe(error)


@router.get("/live", summary="Check liveness")
async def live() -> Live:
    return Live()


@router.get("/ready", summary="Check readiness", responses=responses(503))
async def ready(state: StateDep) -> Ready:
    """Returns 503 while no model is loaded, and after SIGTERM."""
    if state.draining:
        raise EndingError()
    state.serving()
    return Ready()


@router.get("/health", summary="Get the health of the service")
async def health(state: StateDep) -> Health:
    return Health(
        uptime_seconds=state.uptime_seconds,
        prediction_count=state.graded,
        timestamp=datetime.now(UTC),
        model_loaded=state.predictor is not None,
        api_version=__version__,
    )


@router.get("/status", summary="Get the status of the service")
def status(state: StateDep) -> Status:
    """Get the status of the model, the catalog and retraining. Works even while the catalog is
    unavailable.
    """
    runtime = state.predictor
    training, catalog_problem = training_status(state)
    return Status(
        model_loaded=runtime is not None,
        model_classes=runtime.manifest.classes if runtime else (),
        total_predictions=state.graded,
        uptime_seconds=state.uptime_seconds,
        training_status=training,
        catalog_problem=catalog_problem,
        storage_problem=state.blobs.problem,
        recording_problem=state.recorder.problem,
        model_problem=MODEL_PROBLEM if state.model_problem else None,
        last_model_update=state.champion_since,
    )


@router.get("/model-info", summary="Get the current version")
async def model_info(state: StateDep, settings: SettingsDep) -> ModelInfo:
    """Get the current version with its metrics."""
    runtime = state.predictor
    return ModelInfo(
        status="loaded" if runtime else "no model",
        uptime_seconds=state.uptime_seconds,
        prediction_count=state.graded,
        model_info=ModelSummary.of(runtime.manifest, state.champion_since) if runtime else None,
        model_problem=MODEL_PROBLEM if state.model_problem else None,
        engine=runtime.engine if runtime else None,
        promote=settings.promote,
    )


@router.get("/", summary="List endpoints", response_model=None)
async def index(request: Request, settings: SettingsDep) -> Response:
    """Get the endpoints as JSON or, in a browser, a page with links to the app and the
    documentation.
    """
    if "text/html" in request.headers.get("accept", ""):
        app, docs = html.escape(settings.ui_url, quote=True), _link(request, "docs")
        return HTMLResponse(_FRONT_PAGE.substitute(app=app, docs=docs))
    endpoints = sorted(request.app.openapi()["paths"])
    return JSONResponse({"message": "Ripeline grades fruit from photos.", "endpoints": endpoints})


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI document. Rendered once, since that takes as long as many predictions."""
    state = request.app.state
    if not hasattr(state, "openapi_json"):
        root = request.scope.get("root_path", "")
        servers = {"servers": [{"url": root}]} if root else {}
        document = {**request.app.openapi(), **servers}
        state.openapi_json = JSONResponse(document).body
    return Response(state.openapi_json, media_type="application/json")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The documentation in Swagger UI."""
    return get_swagger_ui_html(
        openapi_url=_link(request, "openapi.json"), title=f"{request.app.title}: API"
    )


def _link(request: Request, path: str) -> str:
    """A link to a path of the service, from a page at its root.

    Relative if no root path is set: a proxy may have stripped one that the service does not know.
    """
    root = request.scope.get("root_path", "")
    return f"{root}/{path}" if root else path


_FRONT_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ripeline</title>
<style>
:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif; }
body { max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem; }
h1 { font-weight: 600; }
a { color: inherit; }
</style>
<h1>Ripeline</h1>
<p>This is the grading service. People use the <a href="$app">app</a>; programs read the
<a href="$docs">documentation of the API</a>.</p>
</html>
""")
