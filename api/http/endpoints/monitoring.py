"""`/drift`, `/monitoring/summary`, `/monitoring/accuracy` and `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.core import telemetry
from api.http.deps import BlobsDep, DatabaseDep, ReadingDep, SettingsDep, StateDep
from api.http.problems import responses
from api.monitoring.drift import DriftFigure, current_drift
from api.monitoring.summary import Summary, summarise
from api.predictions.accuracy_in_use import AccuracyInUse, accuracy_in_use
from api.predictions.history import FLUSH_SECONDS
from api.registry import repository as models
from api.registry.schemas import Headlines
from api.storage.db import now

router = APIRouter(tags=["monitoring"])


class Drift(BaseModel):
    """The newest predictions of the current version against its own test photos."""

    model_version: str
    drifted: bool
    figures: list[DriftFigure]


class VersionAccuracies(BaseModel):
    versions: list[AccuracyInUse]


@router.get("/drift", summary="Drift", responses=responses(503))
def drift(state: StateDep, database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> Drift:
    """Embedding, confidence and class-mix drift of the newest 500 predictions in seven days.

    There is one look a day, at the predictions up to midnight (UTC), or the first 50 of a new
    version, so that no drift is reported by chance on more than one day in a thousand.
    """
    version = state.serving().manifest.version
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        figures = current_drift(session, settings, blobs, version, now())
    return Drift(
        model_version=version, drifted=any(figure.drifted for figure in figures), figures=figures
    )


@router.get("/monitoring/accuracy", summary="Accuracy in use", responses=responses(503))
def accuracy(session: ReadingDep) -> VersionAccuracies:
    """By people's answers about a random sample of each version's predictions, newest first."""
    served = models.served_versions(session)
    return VersionAccuracies(
        versions=[
            accuracy_in_use(session, row.version, Headlines.of(row.manifest).accuracy)
            for row in models.list_models(session)
            if row.version in served
        ]
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
