"""`/dataset/images`, `/dataset/summary` and `/upload-training-data`."""

from collections import defaultdict

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.catalog import removal, repository
from api.catalog.archive import UploadLimits
from api.catalog.class_names import ClassNames
from api.catalog.photo_files import decoding, load_image
from api.catalog.repository import ImageNotFoundError
from api.catalog.schemas import (
    DatasetSummary,
    ImagePage,
    Relabel,
    Relabelled,
    RelabelSelection,
    TrainingImage,
    UploadReport,
    missing_ids,
)
from api.catalog.service import Origin, remove_images
from api.catalog.upload import UploadService
from api.core import telemetry
from api.core.imaging.resize import thumbnail
from api.core.labels import CLASS_NAME_PATTERN, ClassName, accepted_class_name
from api.core.splits import Split
from api.http.deps import (
    IMAGE_ID,
    BlobsDep,
    DatabaseDep,
    KnownPhotosDep,
    Offset,
    PageLimit,
    ReadingDep,
    Restorable,
    SessionDep,
    SettingsDep,
    ThumbnailSize,
    TrainingIndexDep,
)
from api.http.headers import cached_jpeg
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.http.upload_form import FILES, NEW_CLASS, describe_form, upload_form
from api.storage.ids import is_id

IMAGES = "/dataset/images"
UPLOADS = "/upload-training-data"
_UPLOAD = describe_form(
    files={**FILES, "description": "Photos, zips of photos, or both."},
    class_name={
        "type": "string",
        "pattern": CLASS_NAME_PATTERN,
        "description": "Class of the photos that are not in a class folder. Not needed for a zip "
        "with class folders.",
    },
    new_class=NEW_CLASS,
)
router = APIRouter(
    route_class=CheckedRoute, tags=["training images"], responses=responses(503, 507)
)


@router.get(IMAGES, summary="List images", responses=responses(409, 422))
def images(
    session: ReadingDep,
    *,
    class_name: ClassName | None = None,
    split: Split | None = None,
    origin: Origin | None = None,
    offset: Offset = 0,
    limit: PageLimit = 50,
) -> ImagePage:
    """List training images, newest first."""
    name = None if class_name is None else accepted_class_name(class_name)
    filters = repository.image_filters(name, split, origin)
    rows = repository.list_images(session, filters, offset, limit)
    return ImagePage(
        total=repository.count(session, filters),
        offset=offset,
        limit=limit,
        images=[TrainingImage.model_validate(row) for row in rows],
    )


@router.post(f"{IMAGES}/relabel", summary="Relabel multiple images", responses=responses(409, 422))
def relabel_many(
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    session: SessionDep,
    selection: RelabelSelection,
) -> Relabelled:
    """Set the class of multiple training images, at most 1,000 per request."""
    classes = ClassNames(database, training_index, selection.new_class)
    class_name = classes.accept(selection.class_name)
    only_from = selection.only_from
    only_from = None if only_from is None else accepted_class_name(only_from)
    found = repository.relabel(session, selection.ids, class_name, only_from)
    former: defaultdict[str, list[str]] = defaultdict(list)
    for image_id, name in sorted(found.items()):
        if name != class_name:
            former[name].append(image_id)
    return Relabelled(
        relabelled=len(found),
        class_name=class_name,
        missing=missing_ids(selection.ids, list(found)),
        former=former,
    )


@router.get(f"{IMAGES}/{IMAGE_ID}", summary="Get an image", responses=responses(404, 422))
def image(session: ReadingDep, image_id: str) -> TrainingImage:
    return TrainingImage.model_validate(repository.get_image(session, image_id))


@router.get(
    f"{IMAGES}/{IMAGE_ID}/photograph",
    summary="Get the thumbnail of an image",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **responses(404, 422)},
)
def photograph(
    request: Request,
    *,
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    image_id: str,
    size: ThumbnailSize = 256,
) -> Response:
    """Get the photo as an upright JPEG without metadata."""
    with database.reading() as session:
        row = repository.get_image(session, image_id)

    def make() -> bytes:
        data = load_image(blobs, row)
        with decoding(row):
            return thumbnail(data, size, settings.max_pixels)

    return cached_jpeg(request, f"{row.sha256[:32]}-{size}", make)


@router.patch(
    f"{IMAGES}/{IMAGE_ID}", summary="Relabel an image", responses=responses(404, 409, 422)
)
def relabel(
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    session: SessionDep,
    *,
    image_id: str,
    change: Relabel,
) -> TrainingImage:
    """Set the class of a training image."""
    class_name = ClassNames(database, training_index, change.new_class).accept(change.class_name)
    # Locked before it is read: another process may be removing it.
    repository.lock_images(session)
    row = repository.get_image(session, image_id)
    repository.relabel(session, [image_id], class_name)
    session.refresh(row)
    return TrainingImage.model_validate(row)


@router.delete(
    f"{IMAGES}/{IMAGE_ID}",
    summary="Delete an image",
    status_code=204,
    responses=responses(404, 422),
)
def remove(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    *,
    image_id: str,
    restorable: Restorable = False,
) -> None:
    """Permanently delete an image, even if it was removed earlier and could still be restored.

    With `restorable=true` it is removed instead, and can be restored for RIPELINE_KEEP_REMOVED_DAYS
    days.
    """
    ids = [image_id] if is_id(image_id) else []
    if restorable and settings.keep_removed_days:
        found = removal.keep_images(database, ids)
    else:
        found = remove_images(database, blobs, ids) or removal.delete_removed(database, blobs, ids)
    if not found:
        raise ImageNotFoundError(image_id)


@router.post(
    UPLOADS,
    summary="Upload training photos",
    openapi_extra=_UPLOAD,
    responses=responses(400, 409, 413, 415, 422),
)
async def upload(
    request: Request,
    database: DatabaseDep,
    blobs: BlobsDep,
    known: KnownPhotosDep,
    settings: SettingsDep,
) -> UploadReport:
    """Send photos of one class with `class_name`, or a zip with one folder per class.

    New classes are allowed. If a new name resembles that of a known class ("Fresh Apples" and
    `freshapples`), set `new_class=true` to confirm that it is a different class.

    The response lists each file as stored, as a duplicate, or as an error with a reason. The status
    is 200 even if no file could be stored, except for a single zip that cannot be read. With
    `class_name`, all photos of a zip with at most one folder get that class; in a zip with several
    folders, the folders are the classes, and `class_name` applies to the photos outside of them.
    """
    limits = UploadLimits.of(settings)
    uploads = UploadService(database, blobs, known, limits, settings.max_pixels)
    async with upload_form(request) as form:
        with telemetry.counting_failures():
            outcomes = await run_in_threadpool(uploads.store_form, form)
    class_name = accepted_class_name(form.class_name) if form.class_name else None
    report = UploadReport.of_outcomes(outcomes, class_name)
    reasons = [error.code for error in report.errors]
    telemetry.count_upload(report.uploaded_count, len(report.duplicates), reasons)
    return report


@router.get("/dataset/summary", summary="Get the data set summary")
def summary(session: ReadingDep, training_index: TrainingIndexDep) -> DatasetSummary:
    """Get the number of images by class, split and origin, and of images that are new to the
    current version.
    """
    return DatasetSummary.load(session, training_index)
