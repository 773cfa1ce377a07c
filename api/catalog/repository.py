"""The images of the catalog, within a session that the caller opens."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.orm import Session

from api.core.errors import NotFoundError
from api.storage.tables import ImageRow, PredictionRow

# Any number that nothing else in the database locks by.
WRITE_LOCK = 7_253_002
CHUNK = 2000


class ImageNotFoundError(NotFoundError):
    code = "image-not-found"

    def __init__(self, image_id: str) -> None:
        super().__init__(
            f"There is no training image {image_id}. GET /dataset/images lists what there is."
        )


def matching(
    class_name: str | None = None, split: str | None = None, origin: str | None = None
) -> list[ColumnElement[bool]]:
    """The conditions of a query for some of the images; None means any."""
    wanted = {ImageRow.class_name: class_name, ImageRow.split: split, ImageRow.origin: origin}
    return [column == value for column, value in wanted.items() if value is not None]


def write_alone(session: Session) -> None:
    """Wait until no other transaction adds or removes images, and keep others waiting.

    On SQLite a session that may write is alone from its beginning.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITE_LOCK})


def image(session: Session, image_id: str) -> ImageRow:
    """Raises ImageNotFoundError."""
    row = session.get(ImageRow, image_id)
    if row is None:
        raise ImageNotFoundError(image_id)
    return row


def by_sha256(session: Session, sha256: str) -> ImageRow | None:
    return session.scalar(select(ImageRow).where(ImageRow.sha256 == sha256))


def file_names(session: Session, photograph: str) -> Sequence[str]:
    return session.scalars(select(ImageRow.filename).where(ImageRow.photograph == photograph)).all()


def newest(session: Session) -> datetime | None:
    return session.scalar(select(func.max(ImageRow.created_at)))


def signatures(session: Session, since: datetime | None) -> Iterator[tuple[str, str]]:
    """Id and signature (hexadecimal) of the images, of those added at `since` or later."""
    query = select(ImageRow.id, ImageRow.signature)
    if since is not None:
        query = query.where(ImageRow.created_at >= since)
    yield from session.execute(query).yield_per(CHUNK)


def listed(
    session: Session, wanted: list[ColumnElement[bool]], offset: int, limit: int
) -> Sequence[ImageRow]:
    """A page of the images, newest first."""
    query = select(ImageRow).where(*wanted)
    query = query.order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.scalars(query.offset(offset).limit(limit)).all()


def count(session: Session, wanted: list[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(ImageRow).where(*wanted)
    return session.scalars(query).one()


def counts(session: Session) -> Sequence[tuple[str, str, str, int]]:
    """How many images there are of each class, split and origin, in this order."""
    kind = (ImageRow.class_name, ImageRow.split, ImageRow.origin)
    query = select(*kind, func.count()).group_by(*kind).order_by(*kind)
    return session.execute(query).all()


def photographs(session: Session) -> Iterator[tuple[str, str, str, str]]:
    """Hash, class, split and photograph of every image."""
    query = select(ImageRow.sha256, ImageRow.class_name, ImageRow.split, ImageRow.photograph)
    yield from session.execute(query).yield_per(CHUNK)


def training_images(session: Session) -> Sequence[ImageRow]:
    """All images, oldest first; the same order whenever it is asked."""
    return session.scalars(select(ImageRow).order_by(ImageRow.created_at, ImageRow.id)).all()


def relabel(session: Session, image_ids: Sequence[str], class_name: str) -> list[str]:
    """Give the images another class; photograph and split stay. Gives the ids that are there."""
    found = _present(session, image_ids)
    session.execute(
        update(ImageRow).where(ImageRow.id.in_(found)).values(class_name=class_name),
        execution_options={"synchronize_session": False},
    )
    return found


def remove(session: Session, image_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Remove the rows. Gives id and blob of those that were there; the blobs stay."""
    query = select(ImageRow.id, ImageRow.blob).where(ImageRow.id.in_(image_ids))
    found: list[tuple[str, str]] = [*session.execute(query)]
    session.execute(
        delete(ImageRow).where(ImageRow.id.in_([image_id for image_id, _ in found])),
        execution_options={"synchronize_session": False},
    )
    return found


def is_blob_used(session: Session, key: str) -> bool:
    """Whether an image or a prediction refers to the blob."""
    return any(
        session.scalar(select(table.id).where(table.blob == key).limit(1)) is not None
        for table in (ImageRow, PredictionRow)
    )


def blobs_used(session: Session) -> set[str]:
    """Every blob that an image or a prediction refers to."""
    used: set[str] = set()
    for table in (ImageRow, PredictionRow):
        query = select(table.blob).where(table.blob.is_not(None))
        used.update(key for key in session.scalars(query).yield_per(CHUNK) if key)
    return used


def _present(session: Session, image_ids: Sequence[str]) -> list[str]:
    query = select(ImageRow.id).where(ImageRow.id.in_(image_ids))
    return list(session.scalars(query))
