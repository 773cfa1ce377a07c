"""`/retrain`, `/retraining-status` and `/runs`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from api.http.deps import (
    BlobsDep,
    DatabaseDep,
    Limit,
    Offset,
    QueueDep,
    ReadingDep,
    SessionDep,
    SettingsDep,
)
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.retraining import repository, service
from api.retraining.detector_plan import check_detector_run
from api.retraining.plan import estimate_seconds, make_plan
from api.retraining.schemas import (
    Estimate,
    RetrainingStatus,
    RetrainRequest,
    RetrainStarted,
    Run,
    Runs,
    TrainingStatus,
)
from api.storage.db import now

router = APIRouter(route_class=CheckedRoute, tags=["retraining"], responses=responses(503, 507))


@router.post(
    "/retrain",
    summary="Start a retraining run",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(409, 422),
)
def retrain(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    queue: QueueDep,
    asked: Annotated[RetrainRequest | None, Body()] = None,
) -> RetrainStarted:
    """Queue a retraining run. The resulting version is promoted if the promotion gate finds it at
    least as good as the current version, unless RIPELINE_PROMOTE is person.

    *fast* trains a new head in seconds. *full* fine-tunes the network on the photos, and trains the
    detector on new boxed photos. *detector* only trains the detector, in minutes, and leaves all
    grades unchanged.
    """
    request = asked or RetrainRequest()
    options = request.run_options()
    with database.reading() as session:
        plan = make_plan(session, blobs, settings, options.get("classes"))
    if request.mode == "detector":
        check_detector_run(plan.manifest, plan.boxed, request.detector, force=request.force)
    elif not (plan.catalog_diff.any or request.makes_sense_without_new_photos):
        raise service.NothingNewError(plan.champion, plan.left_out)
    run = service.enqueue(database, queue, mode=request.mode, started_by="manual", options=options)
    return RetrainStarted(message=f"Run {run.id} is queued.", run_id=run.id, timestamp=now())


@router.get("/retrain/estimate", summary="Estimate a retraining run", responses=responses(409))
def estimate(database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> Estimate:
    """Get what is new since the current version, and how long a run would take in each mode."""
    with database.reading() as session:
        plan = make_plan(session, blobs, settings)
        return Estimate(
            champion=plan.champion,
            fast_seconds=estimate_seconds(session, "fast", plan),
            full_seconds=estimate_seconds(session, "full", plan),
            detector_seconds=estimate_seconds(session, "detector", plan),
            photographs=plan.rows,
            new=plan.new,
            new_by_class=plan.catalog_diff.added,
            left_out=plan.left_out,
            unreadable=plan.unreadable,
            relabelled=plan.catalog_diff.relabelled,
            removed=plan.catalog_diff.removed,
            boxed_photos=plan.new_boxed,
        )


@router.get("/retraining-status", summary="Get the retraining status")
def retraining_status(session: ReadingDep) -> RetrainingStatus:
    """Get the status of the active run, or of the last one."""
    newest = repository.newest(session, limit=1)
    return RetrainingStatus.of(newest[0] if newest else None)


@router.get("/training-status", summary="Get the short retraining status")
def training_status(session: ReadingDep) -> TrainingStatus:
    """Get a short form of `/retraining-status`, for older clients."""
    status = retraining_status(session)
    return TrainingStatus(
        is_training=status.is_retraining, progress=status.progress, message=status.message
    )


@router.get("/runs", summary="List retraining runs", responses=responses(422))
def list_runs(session: ReadingDep, limit: Limit = 100, offset: Offset = 0) -> Runs:
    """List all retraining runs, newest first."""
    rows = repository.newest(session, limit, offset)
    return Runs(total=repository.count(session), runs=[Run.of(row) for row in rows])


@router.get("/runs/{run_id}", summary="Get a retraining run", responses=responses(404))
def run(session: ReadingDep, run_id: str) -> Run:
    """Get a retraining run with its progress, losses and verdict."""
    return Run.of(service.get(session, run_id))


@router.post(
    "/runs/{run_id}/cancel",
    summary="Cancel a retraining run",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(404, 409),
)
def cancel(session: SessionDep, run_id: str) -> Run:
    """Cancel a run. A queued run is cancelled at once, a running one within a second or two."""
    return Run.of(service.cancel(session, run_id))
