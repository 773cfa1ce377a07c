"""The images of the catalog, one by one and many at once: `/dataset/images`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dataset import repository
from api.dataset.class_names import ClassName, accepted_class_name
from api.dataset.errors import ImageNotFoundError
from api.dataset.ingest import Origin
from api.dataset.removing import remove_images
from api.dataset.schemas import (
    ImageId,
    ImagePage,
    Relabel,
    Relabelled,
    RelabelSelection,
    Removed,
    Selection,
    TrainingImage,
)
from api.dataset.split import Split
from api.dataset.tables import ImageRow
from api.deps import BlobsDep, DatabaseDep, ReadingDep, SessionDep, SettingsDep
from api.imaging.thumbnail import thumbnail
from api.paths import IMAGE_ID
from api.problems import responses

# An image never changes under its id, but it can be removed.
CACHED = "private, max-age=86400"
router = APIRouter(prefix="/dataset/images")


@router.get("", summary="List images, newest first", responses=responses(422, 503))
def images(
    session: ReadingDep,
    *,
    class_name: ClassName | None = None,
    split: Split | None = None,
    origin: Origin | None = None,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ImagePage:
    chosen = None if class_name is None else accepted_class_name(class_name)
    wanted = repository.Filter(chosen, split, origin)
    rows = repository.listed(session, wanted, offset, limit)
    return ImagePage(
        total=repository.count(session, wanted),
        offset=offset,
        limit=limit,
        images=[TrainingImage.model_validate(row) for row in rows],
    )


@router.post("/relabel", summary="Relabel many images", responses=responses(422, 503))
def relabel_many(session: SessionDep, wanted: RelabelSelection) -> Relabelled:
    class_name = accepted_class_name(wanted.class_name)
    found = repository.relabel(session, wanted.ids, class_name)
    return Relabelled(
        relabelled=len(found), class_name=class_name, missing=_missing(wanted.ids, found)
    )


@router.post("/remove", summary="Remove many images", responses=responses(422, 503))
def remove_many(database: DatabaseDep, blobs: BlobsDep, wanted: Selection) -> Removed:
    removed = remove_images(database, blobs, wanted.ids)
    return Removed(removed=len(removed), missing=_missing(wanted.ids, removed))


@router.get(f"/{IMAGE_ID}", summary="One image", responses=responses(404, 422, 503))
def image(session: ReadingDep, image_id: ImageId) -> TrainingImage:
    return TrainingImage.model_validate(_found(repository.get(session, image_id), image_id))


@router.get(
    f"/{IMAGE_ID}/photograph",
    summary="What an image shows, small",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **responses(404, 422, 503)},
)
def photograph(
    request: Request,
    *,
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    image_id: ImageId,
    size: Annotated[int, Query(ge=64, le=1024, description="Longest side, in pixels.")] = 256,
) -> Response:
    """A JPEG, upright and without metadata."""
    with database.reading() as session:
        row = _found(repository.get(session, image_id), image_id)
    headers = {"ETag": f'"{row.sha256[:32]}-{size}"', "Cache-Control": CACHED}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        data = blobs.get(row.blob)
    except FileNotFoundError:  # Removed this moment.
        raise ImageNotFoundError(image_id) from None
    small = thumbnail(data, size, settings.max_pixels)
    return Response(small, headers=headers, media_type="image/jpeg")


@router.patch(f"/{IMAGE_ID}", summary="Relabel an image", responses=responses(404, 422, 503))
def relabel(session: SessionDep, image_id: ImageId, wanted: Relabel) -> TrainingImage:
    class_name = accepted_class_name(wanted.class_name)
    row = _found(repository.get(session, image_id), image_id)
    repository.relabel(session, [image_id], class_name)
    session.refresh(row)
    return TrainingImage.model_validate(row)


@router.delete(
    f"/{IMAGE_ID}",
    summary="Remove an image",
    status_code=204,
    responses=responses(404, 422, 503),
)
def remove(database: DatabaseDep, blobs: BlobsDep, image_id: ImageId) -> None:
    if not remove_images(database, blobs, [image_id]):
        raise ImageNotFoundError(image_id)


def _found(row: ImageRow | None, image_id: str) -> ImageRow:
    if row is None:
        raise ImageNotFoundError(image_id)
    return row


def _missing(wanted: list[str], found: list[str]) -> list[str]:
    return sorted(set(wanted) - set(found))
