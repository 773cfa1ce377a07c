"""`/predictions/{id}/boxes` and `/dataset/boxed-photos`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
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
    ReadingDep,
    RecordedId,
    SessionDep,
    SettingsDep,
    StateDep,
    ThumbnailSize,
    TrainingIndexDep,
)
from api.http.headers import cached_jpeg
from api.http.problems import responses
from api.http.upload_form import FILES, describe_flag, describe_form, upload_form
from api.predictions.boxes import BoxesAnswer, BoxesService
from api.storage.ids import is_id

BOXED_PHOTOS = "/dataset/boxed-photos"
UPLOADS = "/upload-boxed-photos"
_UPLOAD = describe_form(
    files={**FILES, "description": "Zips of photos and their files of boxes."},
    new_class=describe_flag("Accept new classes whose names look like those of known ones."),
)
router = APIRouter(tags=["boxed photos"], responses=responses(503, 507))


def _store(
    database: DatabaseDep, blobs: BlobsDep, known: KnownPhotosDep, settings: SettingsDep
) -> BoxedPhotoStore:
    with database.reading() as session:
        index = DuplicateIndex.load(session, known)
    return BoxedPhotoStore(database, blobs, index, settings.max_pixels)


StoreDep = Annotated[BoxedPhotoStore, Depends(_store)]


@router.put(
    "/predictions/{prediction_id}/boxes",
    summary="Mark the fruits of a graded photo",
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
    """Send all fruits of the photo: missed ones too, without what is no fruit, and with their
    right classes, where the photo is still kept. The next retraining learns each fruit with a
    class, and a full one also where the fruits are.

    The list replaces an earlier one. An empty one with `complete` says that there is no fruit. New
    classes as in feedback: see `new_class`.
    """
    classes = ClassNames(database, training_index, sent.new_class)
    return BoxesService(store, state.recorder).put(prediction_id, sent.annotation(classes))


@router.get(BOXED_PHOTOS, summary="List boxed photos, newest first", responses=responses(422))
def list_boxed_photos(
    session: ReadingDep,
    *,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BoxedPhotoPage:
    photos = boxed_repository.list_photos(session, offset, limit)
    return BoxedPhotoPage(
        total=boxed_repository.count(session),
        offset=offset,
        limit=limit,
        boxed_photos=[BoxedPhotoAnswer.of(photo) for photo in photos],
    )


@router.get(
    f"{BOXED_PHOTOS}/export",
    summary="All boxed photos as a zip",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}},
)
def export(database: DatabaseDep, blobs: BlobsDep) -> StreamingResponse:
    """In the form of COCO; an upload of it gives the same boxes."""
    headers = {"Content-Disposition": 'attachment; filename="boxed-photos.zip"'}
    parts = export_coco(database, blobs)
    return StreamingResponse(parts, headers=headers, media_type="application/zip")


@router.get(f"{BOXED_PHOTOS}/{PHOTO_ID}", summary="One boxed photo", responses=responses(404, 422))
def boxed_photo(session: ReadingDep, photo_id: str) -> BoxedPhotoAnswer:
    return BoxedPhotoAnswer.of(boxed_repository.get(session, photo_id))


@router.get(
    f"{BOXED_PHOTOS}/{PHOTO_ID}/photograph",
    summary="Thumbnail of a boxed photo",
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
    """A JPEG, upright and without metadata."""
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
    summary="Change the boxes of a photo",
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
    """The list replaces the earlier one."""
    classes = ClassNames(database, training_index, sent.new_class)
    return BoxedPhotoAnswer.of(boxed_photos.change(session, photo_id, sent.annotation(classes)))


@router.delete(
    f"{BOXED_PHOTOS}/{PHOTO_ID}",
    summary="Remove a boxed photo",
    status_code=204,
    responses=responses(404, 422),
)
def remove_boxed_photo(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    *,
    photo_id: str,
    restorable: bool = False,
) -> None:
    """For good, also one that was removed and could still be restored; with `restorable` it can be
    restored for RIPELINE_KEEP_REMOVED_DAYS."""
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
    """Send a zip of photos with their boxes, as Pascal VOC, COCO or YOLO.

    If the file of boxes states a size, it must be the photo's, upright or as its pixels are
    stored. Boxes of the class `fruit` say only where a fruit is. A photo without a file of
    boxes is refused; one whose file has no boxes shows no fruit.
    """
    limits = UploadLimits(settings.max_zip_files, settings.max_zip_bytes, settings.max_body_bytes)
    async with upload_form(request) as form:
        classes = ClassNames(database, training_index, form.new_class)
        upload = BoxedUpload(store, classes, limits)
        with telemetry.counting_failures():
            report = await run_in_threadpool(upload.store_form, form)
    reasons = [error.code for error in report.errors]
    telemetry.count_upload(len(report.stored), len(report.known), reasons)
    return report
