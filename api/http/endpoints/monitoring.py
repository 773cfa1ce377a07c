"""`/drift`, `/monitoring/summary` and `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.core import telemetry
from api.http.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep, StateDep
from api.http.problems import responses
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.summary import Summary, summarise
from api.predictions.history import FLUSH_SECONDS
from api.storage.db import now

router = APIRouter(tags=["monitoring"])


class Drift(BaseModel):
    """The newest predictions of the current version against its own test photos."""

    model_version: str
    drifted: bool
    figures: list[DriftFigure]


@router.get("/drift", summary="Drift", responses=responses(503))
def drift(state: StateDep, database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> Drift:
    """Embedding, confidence and class-mix drift of the newest 500 predictions in seven days."""
    version = state.serving().manifest.version
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        figures = current_drift(session, settings, blobs, version, now())
    return Drift(
        model_version=version, drifted=any(figure.drifted for figure in figures), figures=figures
    )


@router.get("/monitoring/summary", summary="Monitoring summary", responses=responses(422, 503))
def summary(session: ReadingDep, hours: Annotated[float, Query(gt=0, le=24 * 365)] = 24) -> Summary:
    return summarise(session, hours, now())


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def exposition() -> Response:
    return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)
