"""Queries on the catalog's images, in the caller's session."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from secrets import token_bytes

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.orm import Session

from api.core.errors import NotFoundError
from api.core.labels import accepted_class_name
from api.storage.ids import by_id
from api.storage.locks import AdvisoryLock, hold_until_commit
from api.storage.tables.photos import (
    BoxedPhotoRow,
    ImageRow,
    PhotoCounterRow,
    RemovedPhotoRow,
    SplitSecretRow,
)
from api.storage.tables.predictions import FeedbackRow, PredictionRow

FETCH_ROWS = 2000
SECRET_BYTES = 32
PhotoTable = type[ImageRow] | type[BoxedPhotoRow]
WithThumbnail = PhotoTable | type[RemovedPhotoRow]
# All tables that refer to blobs of photos.
WITH_BLOBS = (ImageRow, BoxedPhotoRow, RemovedPhotoRow, PredictionRow)


class ImageNotFoundError(NotFoundError):
    code = "image-not-found"

    def __init__(self, image_id: str) -> None:
        super().__init__(
            f"There is no training image {image_id}. GET /dataset/images lists what there is."
        )


def image_filters(
    class_name: str | None = None, split: str | None = None, origin: str | None = None
) -> list[ColumnElement[bool]]:
    """Conditions for `list_images` and `count`; None matches any."""
    values = {ImageRow.class_name: class_name, ImageRow.split: split, ImageRow.origin: origin}
    return [column == value for column, value in values.items() if value is not None]


def lock_images(session: Session) -> None:
    """Let only this transaction add, relabel or delete images until it ends."""
    hold_until_commit(session, AdvisoryLock.IMAGES)


def split_secret(session: Session) -> bytes:
    """The catalog's secret for `core.splits`, made at the first call. Call under `lock_images`."""
    row = session.get(SplitSecretRow, 1)
    if row is None:
        row = SplitSecretRow(id=1, value=token_bytes(SECRET_BYTES))
        session.add(row)
    return row.value


def get_image(session: Session, image_id: str) -> ImageRow:
    """Raises ImageNotFoundError."""
    row = by_id(session, ImageRow, image_id)
    if row is None:
        raise ImageNotFoundError(image_id)
    return row


def by_sha256(session: Session, sha256: str) -> ImageRow | None:
    return session.scalar(select(ImageRow).where(ImageRow.sha256 == sha256))


def newest(session: Session) -> datetime | None:
    """When the newest image was added."""
    return session.scalar(select(func.max(ImageRow.created_at)))


def next_photo_number(session: Session) -> int:
    """A number above that of every photo so far, removed ones too. Call under `lock_images`."""
    value = PhotoCounterRow.value
    statement = update(PhotoCounterRow).values(value=value + 1).returning(value)
    return session.execute(statement).scalar_one()


def last_photo_number(session: Session) -> int:
    """What `next_photo_number` last returned; 0 before the first call."""
    return session.scalars(select(PhotoCounterRow.value)).one()


def signatures(
    session: Session, after: int | None, table: PhotoTable = ImageRow
) -> Iterator[tuple[str, str]]:
    """ID and hexadecimal signature of the photos with a number above `after`; None for all.

    By number, not by time: clocks get changed, and those of two machines differ.
    """
    query = select(table.id, table.signature)
    if after is not None:
        query = query.where(table.number > after).order_by(table.number)
    yield from session.execute(query).yield_per(FETCH_ROWS)


def thumbnails(
    session: Session, image_ids: Sequence[str], table: WithThumbnail
) -> dict[str, tuple[bytes | None, str]]:
    """Thumbnail (None in older catalogs) and blob of the images that exist, by ID."""
    query = select(table.id, table.thumbnail, table.blob)
    rows = session.execute(query.where(table.id.in_(image_ids)))
    return {image_id: (thumbnail, blob) for image_id, thumbnail, blob in rows}


def group_members(
    session: Session,
    photograph: str,
    limit: int,
    table: type[ImageRow] | type[RemovedPhotoRow],
) -> Sequence[Row[str, str, str]]:
    """ID, split and filename of the images of this source group, the oldest first."""
    query = select(table.id, table.split, table.filename).where(table.photograph == photograph)
    return session.execute(query.order_by(table.created_at).limit(limit)).all()


def list_images(
    session: Session, filters: list[ColumnElement[bool]], offset: int, limit: int
) -> Sequence[ImageRow]:
    """A page of the images, newest first."""
    query = select(ImageRow).where(*filters)
    query = query.order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.scalars(query.offset(offset).limit(limit)).all()


def count(session: Session, filters: list[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(ImageRow).where(*filters)
    return session.scalars(query).one()


def counts(session: Session) -> Sequence[tuple[str, str, str, int]]:
    """Class, split, origin and number of images, sorted."""
    columns = (ImageRow.class_name, ImageRow.split, ImageRow.origin)
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    return session.execute(query).all()


def source_groups(session: Session) -> Iterator[tuple[str, str, str, str]]:
    """SHA-256, class, split and source group of every image."""
    query = select(ImageRow.sha256, ImageRow.class_name, ImageRow.split, ImageRow.photograph)
    yield from session.execute(query).yield_per(FETCH_ROWS)


def relabel(
    session: Session, image_ids: Sequence[str], class_name: str, only_from: str | None = None
) -> dict[str, str]:
    """Change the class of images, not their group or split. Returns the former class by ID.

    `only_from`: leave images of other classes unchanged. Feedback that an image was made from gets
    the same label.
    """
    lock_images(session)
    query = select(ImageRow.id, ImageRow.class_name).where(ImageRow.id.in_(image_ids))
    if only_from is not None:
        query = query.where(ImageRow.class_name == only_from)
    former = {row.id: row.class_name for row in session.execute(query)}
    ids = list(former)
    session.execute(
        update(ImageRow).where(ImageRow.id.in_(ids)).values(class_name=class_name),
        execution_options={"synchronize_session": False},
    )
    feedback = (
        select(FeedbackRow, PredictionRow.predicted_class)
        .join(PredictionRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(FeedbackRow.image_id.in_(ids))
    )
    for row, predicted in session.execute(feedback):
        row.label, row.correct = class_name, accepted_class_name(predicted) == class_name
    return former


def delete_images(session: Session, image_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Delete the rows, not their blobs. Returns ID and blob of those that existed."""
    query = select(ImageRow.id, ImageRow.blob).where(ImageRow.id.in_(image_ids))
    removed: list[tuple[str, str]] = [*session.execute(query)]
    session.execute(
        delete(ImageRow).where(ImageRow.id.in_([image_id for image_id, _ in removed])),
        execution_options={"synchronize_session": False},
    )
    return removed


def is_blob_referenced(session: Session, key: str) -> bool:
    """Whether a photo, removed or not, or a prediction refers to the blob."""
    return any(
        session.scalar(select(table.id).where(table.blob == key).limit(1)) is not None
        for table in WITH_BLOBS
    )


def referenced_blobs(session: Session) -> set[str]:
    """Every blob that a photo, removed or not, or a prediction refers to."""
    keys: set[str] = set()
    for table in WITH_BLOBS:
        query = select(table.blob).where(table.blob.is_not(None))
        keys.update(key for key in session.scalars(query).yield_per(FETCH_ROWS) if key)
    return keys
