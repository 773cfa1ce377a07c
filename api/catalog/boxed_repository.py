"""Queries on boxed photos, in the caller's session."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.catalog.box_frames import LabelledBox
from api.core.boxes import Box
from api.core.errors import NotFoundError
from api.storage.ids import by_id
from api.storage.tables.photos import BoxedPhotoRow, BoxRow

# Photos read by one query.
BATCH = 500


class BoxedPhotoNotFoundError(NotFoundError):
    code = "boxed-photo-not-found"

    def __init__(self, photo_id: str) -> None:
        super().__init__(
            f"There is no boxed photo {photo_id}. GET /dataset/boxed-photos lists what there is."
        )


class BoxedPhoto(NamedTuple):
    """A photo and its boxes, in the order in which they were given."""

    row: BoxedPhotoRow
    boxes: list[LabelledBox]


def get(session: Session, photo_id: str) -> BoxedPhoto:
    """Raises BoxedPhotoNotFoundError."""
    row = by_id(session, BoxedPhotoRow, photo_id)
    if row is None:
        raise BoxedPhotoNotFoundError(photo_id)
    return _with_boxes(session, [row])[0]


def of_prediction(session: Session, prediction_id: str) -> BoxedPhotoRow | None:
    return session.scalar(select(BoxedPhotoRow).where(BoxedPhotoRow.prediction_id == prediction_id))


def by_sha256(session: Session, sha256: str) -> BoxedPhotoRow | None:
    return session.scalar(select(BoxedPhotoRow).where(BoxedPhotoRow.sha256 == sha256))


def list_photos(session: Session, offset: int, limit: int) -> list[BoxedPhoto]:
    """A page of the boxed photos, newest first."""
    query = select(BoxedPhotoRow).order_by(BoxedPhotoRow.created_at.desc(), BoxedPhotoRow.id)
    return _with_boxes(session, session.scalars(query.offset(offset).limit(limit)).all())


def all_ids(session: Session) -> Sequence[str]:
    """The IDs of all boxed photos, oldest first."""
    query = select(BoxedPhotoRow.id).order_by(BoxedPhotoRow.created_at, BoxedPhotoRow.id)
    return session.scalars(query).all()


def all_photos(session: Session) -> Iterator[BoxedPhoto]:
    """All boxed photos, oldest first."""
    ids = all_ids(session)
    for start in range(0, len(ids), BATCH):
        yield from get_many(session, ids[start : start + BATCH])


def get_many(session: Session, photo_ids: Sequence[str]) -> list[BoxedPhoto]:
    """The photos with these IDs that exist, oldest first."""
    query = select(BoxedPhotoRow).where(BoxedPhotoRow.id.in_(photo_ids))
    query = query.order_by(BoxedPhotoRow.created_at, BoxedPhotoRow.id)
    return _with_boxes(session, session.scalars(query).all())


def count(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(BoxedPhotoRow)).one()


def box_counts(session: Session) -> dict[str | None, int]:
    """The number of boxes of each class; None: only their place is known."""
    query = select(BoxRow.class_name, func.count()).group_by(BoxRow.class_name)
    return {row[0]: row[1] for row in session.execute(query)}


def boxes_of(session: Session, photo_ids: Sequence[str]) -> dict[str, list[LabelledBox]]:
    """The boxes of photos, in order, by the photo's ID; photos without boxes are left out."""
    query = select(BoxRow).where(BoxRow.boxed_photo_id.in_(photo_ids)).order_by(BoxRow.id)
    found: dict[str, list[LabelledBox]] = defaultdict(list)
    for row in session.scalars(query):
        box = Box(row.x_min, row.y_min, row.x_max, row.y_max)
        found[row.boxed_photo_id].append(LabelledBox(box, row.class_name))
    return found


def put_boxes(
    session: Session, row: BoxedPhotoRow, boxes: Sequence[LabelledBox], *, complete: bool
) -> None:
    """Replace the boxes of a photo; they are in its pixels."""
    session.execute(delete(BoxRow).where(BoxRow.boxed_photo_id == row.id))
    row.complete = complete
    session.add_all(
        BoxRow(boxed_photo_id=row.id, **box._asdict(), class_name=class_name)
        for box, class_name in boxes
    )
    session.flush()


def delete_photo(session: Session, photo_id: str) -> str:
    """Delete the rows, not the blob, whose key is returned. Raises BoxedPhotoNotFoundError."""
    row = get(session, photo_id).row
    session.delete(row)
    session.flush()
    return row.blob


def _with_boxes(session: Session, rows: Sequence[BoxedPhotoRow]) -> list[BoxedPhoto]:
    boxes = boxes_of(session, [row.id for row in rows])
    return [BoxedPhoto(row, boxes.get(row.id, [])) for row in rows]
