"""`/drift`, `/monitoring/summary`, `/monitoring/accuracy` and `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from api.core import telemetry
from api.http.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep, StateDep
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.summary import Summary, summarise
from api.predictions.accuracy_in_use import AccuracyInUse, accuracy_in_use
from api.predictions.history import FLUSH_SECONDS
from api.registry import repository as models
from api.registry.schemas import Headlines
from api.storage.db import now

router = APIRouter(route_class=CheckedRoute, tags=["monitoring"])
# Prometheus may add parameters of its own.
metrics_router = APIRouter(tags=["monitoring"])


class Drift(BaseModel):
    """Drift of the current version's recent predictions from its own test photos."""

    model_version: str = Field(description="The current version.")
    drifted: bool = Field(description="Whether any of the figures has drifted.")
    figures: list[DriftFigure]


class VersionAccuracies(BaseModel):
    versions: list[AccuracyInUse] = Field(
        description="Versions that are or were in use, newest first."
    )


@router.get("/drift", summary="Get drift", responses=responses(503))
def drift(state: StateDep, database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> Drift:
    """Get the drift of embeddings, confidence and class mix over the newest 500 predictions of the
    last seven days.

    Drift is evaluated once a day, on the predictions up to midnight (UTC) or, for a new version, on
    its first 50. This keeps false alarms to at most one day in a thousand.
    """
    version = state.serving().manifest.version
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        figures = current_drift(session, settings, blobs, version, now())
    return Drift(
        model_version=version, drifted=any(figure.drifted for figure in figures), figures=figures
    )


@router.get("/monitoring/accuracy", summary="Get the accuracy in use", responses=responses(503))
def accuracy(session: ReadingDep) -> VersionAccuracies:
    """Get the accuracy of each version that is or was in use, newest version first, measured by the
    review of a random sample of its predictions.
    """
    served = models.served_versions(session)
    return VersionAccuracies(
        versions=[
            accuracy_in_use(session, row.version, Headlines.of(row.manifest).accuracy)
            for row in models.list_models(session)
            if row.version in served
        ]
    )


@router.get(
    "/monitoring/summary", summary="Get the monitoring summary", responses=responses(422, 503)
)
def summary(session: ReadingDep, hours: Annotated[float, Query(gt=0, le=24 * 365)] = 24) -> Summary:
    """Get the number of predictions over time and their latency in the last `hours` hours, and the
    changes of the current version.
    """
    return summarise(session, hours, now())


@metrics_router.get(
    "/metrics",
    summary="Get metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def exposition() -> Response:
    return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)
