"""`/predictions/{id}/boxes` and `/dataset/boxed-photos`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.catalog import boxed_photos, boxed_repository, removal
from api.catalog.archive import UploadLimits
from api.catalog.box_export import export_coco
from api.catalog.box_schemas import BoxedPhotoAnswer, BoxedPhotoPage, MarkedFruits
from api.catalog.box_upload import BoxedUpload, BoxedUploadReport
from api.catalog.boxed_photos import BoxedPhotoStore, DamagedBoxedPhotoError
from api.catalog.class_names import ClassNames
from api.catalog.duplicate_index import DuplicateIndex
from api.core import telemetry
from api.core.errors import ProblemError
from api.core.imaging.resize import thumbnail
from api.http.deps import (
    PHOTO_ID,
    BlobsDep,
    DatabaseDep,
    KnownPhotosDep,
    Offset,
    PageLimit,
    ReadingDep,
    RecordedId,
    Restorable,
    SessionDep,
    SettingsDep,
    StateDep,
    ThumbnailSize,
    TrainingIndexDep,
)
from api.http.headers import cached_jpeg
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.http.upload_form import FILES, NEW_CLASS, describe_form, upload_form
from api.predictions.boxes import BoxesAnswer, BoxesService
from api.storage.ids import is_id

BOXED_PHOTOS = "/dataset/boxed-photos"
UPLOADS = "/upload-boxed-photos"
_UPLOAD = describe_form(
    files={**FILES, "description": "Zips of photos and their annotation files."},
    new_class=NEW_CLASS,
)
router = APIRouter(route_class=CheckedRoute, tags=["boxed photos"], responses=responses(503, 507))


def _store(
    database: DatabaseDep, blobs: BlobsDep, known: KnownPhotosDep, settings: SettingsDep
) -> BoxedPhotoStore:
    with database.reading() as session:
        index = DuplicateIndex(session, known)
    return BoxedPhotoStore(database, blobs, index, settings.max_pixels)


StoreDep = Annotated[BoxedPhotoStore, Depends(_store)]


@router.put(
    "/predictions/{prediction_id}/boxes",
    summary="Set the boxes of a prediction",
    responses=responses(404, 409, 422),
)
def put_boxes(
    prediction_id: RecordedId,
    store: StoreDep,
    state: StateDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    *,
    sent: MarkedFruits,
) -> BoxesAnswer:
    """Set the bounding boxes of all fruits in a graded photo that is still kept: include missed
    fruits, leave out what is not a fruit, and correct the classes. The next retraining learns from
    every fruit with a class; a full run also learns the positions.

    The list replaces an earlier one. An empty list with `complete` set to true says that the photo
    shows no fruit. New classes are allowed as in feedback; see `new_class`.
    """
    classes = ClassNames(database, training_index, sent.new_class)
    return BoxesService(store, state.recorder).put(prediction_id, sent.annotation(classes))


@router.get(BOXED_PHOTOS, summary="List boxed photos", responses=responses(422))
def list_boxed_photos(
    session: ReadingDep,
    *,
    offset: Offset = 0,
    limit: PageLimit = 50,
) -> BoxedPhotoPage:
    """List boxed photos, newest first."""
    photos = boxed_repository.list_photos(session, offset, limit)
    return BoxedPhotoPage(
        total=boxed_repository.count(session),
        offset=offset,
        limit=limit,
        boxed_photos=[BoxedPhotoAnswer.of(photo) for photo in photos],
    )


@router.get(
    f"{BOXED_PHOTOS}/export",
    summary="Export boxed photos",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}},
)
def export(database: DatabaseDep, blobs: BlobsDep) -> StreamingResponse:
    """Download a zip of all boxed photos in COCO format. Uploading it restores the same boxes."""
    headers = {"Content-Disposition": 'attachment; filename="boxed-photos.zip"'}
    parts = export_coco(database, blobs)
    return StreamingResponse(parts, headers=headers, media_type="application/zip")


@router.get(
    f"{BOXED_PHOTOS}/{PHOTO_ID}", summary="Get a boxed photo", responses=responses(404, 422)
)
def boxed_photo(session: ReadingDep, photo_id: str) -> BoxedPhotoAnswer:
    return BoxedPhotoAnswer.of(boxed_repository.get(session, photo_id))


@router.get(
    f"{BOXED_PHOTOS}/{PHOTO_ID}/photograph",
    summary="Get the thumbnail of a boxed photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **responses(404, 422)},
)
def boxed_photograph(
    request: Request,
    *,
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    photo_id: str,
    size: ThumbnailSize = 256,
) -> Response:
    """Get the photo as an upright JPEG without metadata."""
    with database.reading() as session:
        row = boxed_repository.get(session, photo_id).row

    def make() -> bytes:
        data = boxed_photos.load_photo(blobs, row)
        try:
            return thumbnail(data, size, settings.max_pixels)
        except ProblemError as error:
            raise DamagedBoxedPhotoError(photo_id) from error

    return cached_jpeg(request, f"{row.sha256[:32]}-{size}", make)


@router.put(
    f"{BOXED_PHOTOS}/{PHOTO_ID}/boxes",
    summary="Set the boxes of a boxed photo",
    responses=responses(404, 409, 422),
)
def change_boxes(
    session: SessionDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    *,
    photo_id: str,
    sent: MarkedFruits,
) -> BoxedPhotoAnswer:
    """Replace all bounding boxes of a boxed photo."""
    classes = ClassNames(database, training_index, sent.new_class)
    return BoxedPhotoAnswer.of(boxed_photos.change(session, photo_id, sent.annotation(classes)))


@router.delete(
    f"{BOXED_PHOTOS}/{PHOTO_ID}",
    summary="Delete a boxed photo",
    status_code=204,
    responses=responses(404, 422),
)
def remove_boxed_photo(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    *,
    photo_id: str,
    restorable: Restorable = False,
) -> None:
    """Permanently delete a boxed photo, even if it was removed earlier and could still be restored.

    With `restorable=true` it is removed instead, and can be restored for RIPELINE_KEEP_REMOVED_DAYS
    days.
    """
    if restorable and settings.keep_removed_days:
        removal.keep_boxed(database, photo_id)
    elif not (is_id(photo_id) and removal.delete_removed(database, blobs, [photo_id])):
        boxed_photos.remove(database, blobs, photo_id)


@router.post(
    UPLOADS,
    summary="Upload boxed photos",
    openapi_extra=_UPLOAD,
    responses=responses(400, 409, 413, 415, 422),
)
async def upload_boxed_photos(
    request: Request,
    store: StoreDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    settings: SettingsDep,
) -> BoxedUploadReport:
    """Send a zip of photos and their bounding boxes in Pascal VOC, COCO or YOLO format.

    If an annotation file gives an image size, it must match the photo, either upright or as its
    pixels are stored. Boxes of the class `fruit` only mark the position of a fruit. A photo without
    an annotation file is refused; one whose annotation file has no boxes counts as a photo without
    fruits.
    """
    limits = UploadLimits.of(settings)
    async with upload_form(request) as form:
        classes = ClassNames(database, training_index, form.new_class)
        upload = BoxedUpload(store, classes, limits)
        with telemetry.counting_failures():
            report = await run_in_threadpool(upload.store_form, form)
    reasons = [error.code for error in report.errors]
    telemetry.count_upload(len(report.stored), len(report.known), reasons)
    return report
