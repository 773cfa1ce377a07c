"""`POST /upload-training-data`, and how much there is: `/dataset/summary`."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api import metrics
from api.dataset.archive import Limits
from api.dataset.class_names import accepted_class_name
from api.dataset.form import OPENAPI, upload_form
from api.dataset.image_endpoints import router as images
from api.dataset.schemas import DatasetSummary, UploadReport
from api.dataset.summary import summarise
from api.dataset.upload import Intake
from api.deps import BlobsDep, DatabaseDep, LearnedDep, ReadingDep, SettingsDep
from api.problems import responses

UPLOADS = "/upload-training-data"
router = APIRouter(tags=["training images"])
router.include_router(images)


@router.post(
    UPLOADS,
    summary="Give photographs to learn from",
    openapi_extra=OPENAPI,
    responses=responses(400, 413, 415, 422, 503),
)
async def upload(
    request: Request,
    database: DatabaseDep,
    blobs: BlobsDep,
    learned: LearnedDep,
    settings: SettingsDep,
) -> UploadReport:
    """Send photographs of one class and name it, or a zip with a folder for each class.

    A new class name is welcome. The answer says for each file what became of it: stored, known
    already, or refused, and why. It is 200 also where no file could be taken, but for a single zip
    that cannot be used. With `class_name`, a zip with one folder or none is of that class; several
    folders are classes, and `class_name` is for what lies outside of them.
    """
    limits = Limits(settings.max_zip_files, settings.max_zip_bytes, settings.max_body_bytes)
    intake = Intake(database, blobs, learned, limits, settings.max_pixels)
    async with upload_form(request) as form:
        outcomes = await run_in_threadpool(intake.take, form)
    class_name = accepted_class_name(form.class_name) if form.class_name else None
    report = UploadReport.of_outcomes(outcomes, class_name)
    metrics.uploaded(report.uploaded_count, len(report.duplicates), len(report.errors))
    return report


@router.get("/dataset/summary", summary="How much is there?", responses=responses(503))
def summary(session: ReadingDep, learned: LearnedDep) -> DatasetSummary:
    return DatasetSummary.of(summarise(session, learned))
