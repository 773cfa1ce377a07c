"""`/inspections`: lots, their photos, and the verdict."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from api.catalog.archive import UploadLimits
from api.catalog.class_names import stored_classes
from api.core import telemetry
from api.core.boxes import Box
from api.core.errors import ProblemError, problem_document
from api.http.deps import (
    LIMIT,
    BlobsDep,
    DatabaseDep,
    Moment,
    Offset,
    PageLimit,
    ReadingDep,
    Restorable,
    SettingsDep,
    StateDep,
    Text,
    TrainingIndexDep,
)
from api.http.endpoints.boxed_photos import StoreDep
from api.http.problems import responses
from api.http.query import CheckedRoute, check_range
from api.http.upload_form import FILES, describe_form, upload_form
from api.inspections import removal, repository
from api.inspections.corrections import Corrections
from api.inspections.schemas import (
    AddedPhotos,
    Correction,
    FailedPhoto,
    Inspection,
    InspectionFruit,
    InspectionFruitPage,
    InspectionPage,
    InspectionPhoto,
    InspectionPhotoPage,
    MissedFruit,
    NewInspection,
    PhotoChange,
    load,
)
from api.inspections.service import InspectionService
from api.model.instances import check_detector
from api.model.predictor import PredictRequest
from api.predictions.batch import BatchItem, batch_items

INSPECTIONS = "/inspections"
INSPECTION = f"{INSPECTIONS}/{{inspection_id}}"
PHOTOS = f"{INSPECTION}/photos"
PHOTO = f"{PHOTOS}/{{photo_id}}"
FRUIT = f"{PHOTO}/fruits/{{number}}"
UPLOADS_PATTERN = rf"{INSPECTIONS}/[^/]+/photos"
_UPLOAD = describe_form(files={**FILES, "description": "Photos, zips of photos, or both."})
Number = Annotated[int, Path(ge=1, le=10**6)]
router = APIRouter(route_class=CheckedRoute, tags=["inspections"], responses=responses(503, 507))


def _service(database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep) -> InspectionService:
    return InspectionService(database, blobs, keeps_photos=settings.keep_predicted_days > 0)


def _corrections(
    store: StoreDep, state: StateDep, session: ReadingDep, training_index: TrainingIndexDep
) -> Corrections:
    classes = {*training_index.class_names.tolist(), *stored_classes(session)}
    return Corrections(store, state.recorder, classes)


ServiceDep = Annotated[InspectionService, Depends(_service)]
CorrectionsDep = Annotated[Corrections, Depends(_corrections)]


@router.post(INSPECTIONS, summary="Open an inspection", status_code=201, responses=responses(422))
def open_inspection(service: ServiceDep, session: ReadingDep, new: NewInspection) -> Inspection:
    """Open an inspection of a lot and set its tolerances. Then add photos with
    `POST /inspections/{id}/photos`.
    """
    row = service.open(new.lot, new.supplier, new.kind, new.profile)
    return load(session, [row])[0]


@router.get(INSPECTIONS, summary="List inspections", responses=responses(422))
def list_inspections(
    session: ReadingDep,
    *,
    search: Annotated[
        Text | None, Query(description="Text to find in the lot or supplier.")
    ] = None,
    since: Annotated[
        Moment | None, Query(description="Inclusive lower bound of the time of creation.")
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Exclusive upper bound of the time of creation.")
    ] = None,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=100, description=LIMIT)] = 20,
) -> InspectionPage:
    """List inspections, newest first."""
    check_range(since=since, until=until)
    conditions = repository.filters(search, since, until)
    return InspectionPage(
        total=repository.count(session, conditions),
        offset=offset,
        limit=limit,
        inspections=load(session, repository.find(session, conditions, offset, limit)),
    )


@router.get(INSPECTION, summary="Get an inspection", responses=responses(404, 422))
def inspection(session: ReadingDep, inspection_id: str) -> Inspection:
    """Get an inspection with its counts, shares and verdict."""
    return load(session, [repository.get(session, inspection_id)])[0]


@router.delete(
    INSPECTION, summary="Delete an inspection", status_code=204, responses=responses(404, 422)
)
def delete_inspection(
    service: ServiceDep,
    settings: SettingsDep,
    inspection_id: str,
    *,
    restorable: Restorable = False,
) -> None:
    """Permanently delete an inspection with its photos, even if it was removed earlier and could
    still be restored.

    With `restorable=true` it is removed instead, and can be restored for RIPELINE_KEEP_REMOVED_DAYS
    days. Training data from corrections is kept in both cases.
    """
    if restorable and settings.keep_removed_days:
        removal.keep_inspection(service.database, inspection_id)
    else:
        service.delete(inspection_id)


@router.post(
    PHOTOS,
    summary="Add photos to an inspection",
    openapi_extra=_UPLOAD,
    responses=responses(400, 404, 408, 409, 413, 415, 422),
)
async def add_photos(
    request: Request,
    state: StateDep,
    service: ServiceDep,
    settings: SettingsDep,
    inspection_id: str,
) -> AddedPhotos:
    """Send photos of several fruits each, or zips of them, in the form field `files`. Each fruit is
    detected and graded as with `/predict?instances=true`. Returns 409 `no-detector` if the current
    version has no fruit detector.
    """
    predictor = state.serving()
    check_detector(predictor)
    state.batcher.check_capacity()
    await run_in_threadpool(service.check_open, inspection_id)
    limits = UploadLimits.of(settings)
    added: list[InspectionPhoto] = []
    known: list[InspectionPhoto] = []
    errors: list[FailedPhoto] = []

    async def add(item: BatchItem) -> None:
        with telemetry.counting_failures():
            if isinstance(item.data, ProblemError):
                raise item.data
            wanted = PredictRequest(item.data, False, True)
            grade = await state.batcher.predict(predictor, wanted)
        prediction = state.count_prediction(grade, predictor.manifest.version)
        outcome, photo = await run_in_threadpool(
            service.add, inspection_id, item.data, prediction, grade, item.filename
        )
        (added if outcome == "added" else known).append(InspectionPhoto.of(photo))

    async with upload_form(request) as form:
        items = batch_items(form.files, limits)
        while (item := await run_in_threadpool(next, items, None)) is not None:
            try:
                await add(item)
            except ProblemError as error:
                problem = problem_document(error.status, error.code, error.detail)
                errors.append(FailedPhoto(filename=item.filename, error=problem))
    return AddedPhotos(
        added=added,
        known=known,
        errors=errors,
        inspection=await run_in_threadpool(_load, service, inspection_id),
    )


@router.get(PHOTOS, summary="List photos of an inspection", responses=responses(404, 422))
def list_photos(
    session: ReadingDep, inspection_id: str, offset: Offset = 0, limit: PageLimit = 50
) -> InspectionPhotoPage:
    """List the photos of an inspection, newest first."""
    repository.get(session, inspection_id)
    photos = repository.photos(session, inspection_id, offset, limit)
    return InspectionPhotoPage(
        total=repository.photo_count(session, inspection_id),
        offset=offset,
        limit=limit,
        photos=[InspectionPhoto.of(photo) for photo in photos],
    )


@router.get(
    f"{INSPECTION}/fruits",
    summary="List fruits of an inspection",
    responses=responses(404, 422),
)
def list_fruits(
    session: ReadingDep, inspection_id: str, offset: Offset = 0, limit: PageLimit = 50
) -> InspectionFruitPage:
    """List the fruits in the photos that count: rotten first, then past their best, unknown and
    fresh.
    """
    repository.get(session, inspection_id)
    tally = repository.tallies(session, [inspection_id]).get(inspection_id)
    fruits = repository.worst_fruits(session, inspection_id, offset, limit)
    return InspectionFruitPage(
        total=tally.total if tally else 0,
        offset=offset,
        limit=limit,
        fruits=[InspectionFruit.of(fruit) for fruit in fruits],
    )


@router.patch(PHOTO, summary="Update a photo of an inspection", responses=responses(404, 422))
def change_photo(
    service: ServiceDep, inspection_id: str, photo_id: str, change: PhotoChange
) -> InspectionPhoto:
    """Set `counted` to false if the photo shows the same fruits as another photo."""
    return InspectionPhoto.of(service.count(inspection_id, photo_id, counted=change.counted))


@router.delete(
    PHOTO, summary="Delete a photo of an inspection", status_code=204, responses=responses(404, 422)
)
def remove_photo(
    service: ServiceDep,
    settings: SettingsDep,
    inspection_id: str,
    photo_id: str,
    *,
    restorable: Restorable = False,
) -> None:
    """Permanently delete a photo of an inspection, even if it was removed earlier and could still
    be restored.

    With `restorable=true` it is removed instead, and can be restored for RIPELINE_KEEP_REMOVED_DAYS
    days. Training data from corrections is kept in both cases.
    """
    if restorable and settings.keep_removed_days:
        removal.keep_photo(service.database, inspection_id, photo_id)
    else:
        service.remove_photo(inspection_id, photo_id)


@router.post(
    f"{PHOTO}/fruits",
    summary="Add a missed fruit",
    status_code=201,
    responses=responses(404, 422),
)
def add_missed(
    corrections: CorrectionsDep, inspection_id: str, photo_id: str, missed: MissedFruit
) -> InspectionPhoto:
    """Add a fruit that the grader missed. It counts at once."""
    box = Box(**missed.box.model_dump())
    return InspectionPhoto.of(corrections.add_missed(inspection_id, photo_id, box, missed.level))


@router.put(FRUIT, summary="Correct a fruit", responses=responses(404, 409, 422))
def correct(
    corrections: CorrectionsDep,
    inspection_id: str,
    photo_id: str,
    number: Number,
    correction: Correction,
) -> InspectionPhoto:
    """Set the correct level of a fruit, or mark it as not a fruit. The correction counts at once;
    the next retraining learns from it if the photo is still kept.
    """
    return InspectionPhoto.of(corrections.say(inspection_id, photo_id, number, correction.said))


@router.delete(FRUIT, summary="Undo the correction of a fruit", responses=responses(404, 422))
def take_back(
    corrections: CorrectionsDep, inspection_id: str, photo_id: str, number: Number
) -> InspectionPhoto:
    """Undo the correction of a fruit. A fruit that a user added is removed."""
    return InspectionPhoto.of(corrections.take_back(inspection_id, photo_id, number))


def _load(service: InspectionService, inspection_id: str) -> Inspection:
    with service.database.reading() as session:
        return load(session, [repository.get(session, inspection_id)])[0]
