"""Removing training photos so that they can be restored for some days, and restoring them.

A removed photo is moved into a table of its own and keeps its blob. It comes back with its class,
split, source group, boxes and feedback, unless the same photo was added again meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from PIL import Image
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, undefer

from api.catalog import boxed_repository, repository
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos, Photo, SourceGroup
from api.catalog.photo_files import delete_photos
from api.catalog.thumbnails import read_thumbnails
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.photos import BoxedPhotoRow, BoxRow, ImageRow, RemovedKind, RemovedPhotoRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

CHUNK = 500
# In `contents`: the number of the last photo that was added before the removal.
LAST_NUMBER = "last_number"
# Columns of both tables. `created_at` is not restored, see `_add`.
_SHARED = ("id", "filename", "photograph", "split", "blob", "thumbnail", "created_at")


@dataclass
class Restoring:
    """The IDs that were restored, and those whose photo has been added again since."""

    restored: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)


def keep_images(database: Database, image_ids: Sequence[str]) -> list[str]:
    """Remove images, to be restored or swept later. Returns the IDs of those that existed."""
    with database.session() as session:
        repository.lock_images(session)
        query = select(ImageRow).where(ImageRow.id.in_(image_ids))
        rows = session.scalars(query.options(undefer(ImageRow.thumbnail))).all()
        at = now()
        for row in rows:
            feedback = select(FeedbackRow.prediction_id).where(FeedbackRow.image_id == row.id)
            contents = {"row": _others(row), "predictions": [*session.scalars(feedback)]}
            session.add(_removed(session, row, row.class_name, contents, at))
        session.flush()
        return [image_id for image_id, _ in repository.delete_images(session, image_ids)]


def keep_boxed(database: Database, photo_id: str) -> None:
    """Remove a boxed photo, to be restored or swept later. Raises BoxedPhotoNotFoundError."""
    with database.session() as session:
        repository.lock_images(session)
        row, boxes = boxed_repository.get(session, photo_id)
        contents = {"row": _others(row), "boxes": [[*box, name] for box, name in boxes]}
        session.add(_removed(session, row, None, contents, now()))
        boxed_repository.delete_photo(session, photo_id)


def restore(database: Database, known: KnownPhotos, photo_ids: Sequence[str]) -> Restoring:
    """Bring removed photos back, all or none; IDs of other photos are left out."""
    outcome = Restoring()
    with database.session() as session:
        repository.lock_images(session)
        query = select(RemovedPhotoRow).where(RemovedPhotoRow.id.in_(photo_ids))
        query = query.options(undefer(RemovedPhotoRow.thumbnail))
        rows = session.scalars(
            query.order_by(RemovedPhotoRow.removed_at.desc(), RemovedPhotoRow.id)
        ).all()
        # Photos added before the removal have been compared with it already. An earlier version did
        # not keep the number of the last one.
        for after, together in groupby(rows, key=lambda row: row.contents.get(LAST_NUMBER)):
            index = DuplicateIndex(session, known, after)
            for row in together:
                photo = _photo(session, known.blobs, row)
                add = _add_image if row.kind == "image" else _add_boxed
                if add(session, index, row, photo):
                    session.delete(row)
                    outcome.restored.append(row.id)
                else:
                    outcome.known.append(row.id)
            session.flush()
    return outcome


def list_removed(session: Session, offset: int, limit: int) -> Sequence[RemovedPhotoRow]:
    """A page of the removed photos, the last removed first."""
    query = select(RemovedPhotoRow).order_by(
        RemovedPhotoRow.removed_at.desc(), RemovedPhotoRow.filename, RemovedPhotoRow.id
    )
    return session.scalars(query.offset(offset).limit(limit)).all()


def count(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(RemovedPhotoRow)).one()


def delete_removed(database: Database, blobs: Blobs, photo_ids: Sequence[str]) -> list[str]:
    """Delete removed photos for good. Returns the IDs of those that existed."""
    with database.session() as session:
        repository.lock_images(session)
        query = select(RemovedPhotoRow.id, RemovedPhotoRow.blob)
        gone = session.execute(query.where(RemovedPhotoRow.id.in_(photo_ids))).all()
        ids = [photo_id for photo_id, _ in gone]
        session.execute(
            delete(RemovedPhotoRow).where(RemovedPhotoRow.id.in_(ids)),
            execution_options={"synchronize_session": False},
        )
    delete_photos(database, blobs, [key for _, key in gone])
    return ids


def sweep_removed(
    database: Database, blobs: Blobs, keep_days: float, at: datetime | None = None
) -> int:
    """Delete for good what was removed more than `keep_days` ago; returns the number of photos."""
    cutoff, swept = (at or now()) - timedelta(days=keep_days), 0
    query = select(RemovedPhotoRow.id).where(RemovedPhotoRow.removed_at < cutoff).limit(CHUNK)
    while True:
        with database.reading() as session:
            old = session.scalars(query).all()
        if not old:
            return swept
        swept += len(delete_removed(database, blobs, old))


def _removed(
    session: Session,
    row: ImageRow | BoxedPhotoRow,
    class_name: str | None,
    contents: dict[str, Any],
    at: datetime,
) -> RemovedPhotoRow:
    kind: RemovedKind = "image" if isinstance(row, ImageRow) else "boxed"
    shared = {name: getattr(row, name) for name in _SHARED}
    contents = {**contents, LAST_NUMBER: repository.last_photo_number(session)}
    return RemovedPhotoRow(
        kind=kind, class_name=class_name, contents=contents, removed_at=at, **shared
    )


def _others(row: ImageRow | BoxedPhotoRow) -> dict[str, Any]:
    """The columns of a photo that the table of removed photos lacks."""
    names = [column.name for column in row.__table__.columns]
    return {name: getattr(row, name) for name in names if name not in _SHARED}


def _photo(session: Session, blobs: Blobs, row: RemovedPhotoRow) -> Photo | None:
    """The photo, to look for copies; None if it has no thumbnail and cannot be read."""
    pixels = read_thumbnails(session, blobs, [row.id], RemovedPhotoRow).get(row.id)
    return None if pixels is None else Photo(Image.fromarray(pixels), pixels)


def _add_image(
    session: Session, index: DuplicateIndex, row: RemovedPhotoRow, photo: Photo | None
) -> bool:
    """Restore an image; False if the same photo is there already."""
    values = row.contents["row"]
    if repository.by_sha256(session, values["sha256"]):
        return False
    if photo and index.find_in_catalog(session, photo):
        return False
    group = index.find_boxed_group(session, photo) if photo else None
    _add(session, ImageRow(**_values(row, group)))
    # Feedback that was changed since has another label, and is no longer about this image.
    session.execute(
        update(FeedbackRow)
        .where(
            FeedbackRow.prediction_id.in_(row.contents["predictions"]),
            FeedbackRow.image_id.is_(None),
            FeedbackRow.label == values["class_name"],
        )
        .values(image_id=row.id),
        execution_options={"synchronize_session": False},
    )
    return True


def _add_boxed(
    session: Session, index: DuplicateIndex, row: RemovedPhotoRow, photo: Photo | None
) -> bool:
    """Like `_add_image`, for a boxed photo."""
    values = row.contents["row"]
    if boxed_repository.by_sha256(session, values["sha256"]):
        return False
    group = None
    if image := repository.by_sha256(session, values["sha256"]):
        group = SourceGroup(image.photograph, image.split)
    elif photo:
        match = index.find_in_catalog(session, photo)
        group = match.group if match else index.find_boxed_group(session, photo)
    boxed = BoxedPhotoRow(**_values(row, group))
    prediction_id = boxed.prediction_id
    if prediction_id and (
        session.get(PredictionRow, prediction_id) is None
        or boxed_repository.of_prediction(session, prediction_id)
    ):
        boxed.prediction_id = None
    _add(session, boxed)
    session.add_all(
        BoxRow(boxed_photo_id=row.id, x_min=x, y_min=y, x_max=right, y_max=bottom, class_name=name)
        for x, y, right, bottom, name in row.contents["boxes"]
    )
    return True


def _values(row: RemovedPhotoRow, group: SourceGroup | None) -> dict[str, Any]:
    """The columns of a restored photo. `group`: of a copy that was added since, if any."""
    shared = {name: getattr(row, name) for name in _SHARED}
    return {**shared, **row.contents["row"], **(group._asdict() if group else {})}


def _add(session: Session, photo: ImageRow | BoxedPhotoRow) -> None:
    # Added as new, so that copies that were removed before it are compared with it.
    photo.created_at, photo.number = now(), repository.next_photo_number(session)
    session.add(photo)
    session.flush()
