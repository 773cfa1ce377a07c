"""Opening and deleting inspections, and adding photos. Removals in `removal` can be undone."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.catalog.thumbnails import encode_thumbnail, read_thumbnail
from api.core.errors import ConflictError
from api.core.imaging.alignment import thumbnail_pixels
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash
from api.core.imaging.resize import encode_stored_image
from api.core.photo_copies import first_same_scene
from api.inspections import repository
from api.inspections.acceptance import Profile
from api.inspections.repository import Photo
from api.model.grade import Grade, Instance, Instances
from api.predictions.record import Record, blob_key
from api.predictions.schemas import Prediction
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.failures import StoreError
from api.storage.ids import new_id
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow

MAX_PHOTOS = 500
# known: this very file is in the inspection already.
AddOutcome = Literal["added", "known"]
log = logging.getLogger(__name__)


class InspectionFullError(ConflictError):
    code = "inspection-full"
    detail = (
        f"This inspection has {MAX_PHOTOS} photos, which is the most. Remove some, or open another "
        "inspection of the lot."
    )


@dataclass(frozen=True)
class InspectionService:
    """Changes inspections. `keeps_photos`: whether photos are stored beside the grades."""

    database: Database
    blobs: Blobs
    keeps_photos: bool = True

    def open(self, lot: str, supplier: str, kind: str, profile: Profile) -> InspectionRow:
        row = InspectionRow(
            id=new_id(),
            lot=lot,
            supplier=supplier,
            kind=kind,
            max_rotten=profile.rotten,
            max_past_best=profile.past_best,
            confidence=profile.confidence,
            created_at=now(),
        )
        with self.database.session() as session:
            session.add(row)
        return row

    def check_open(self, inspection_id: str) -> None:
        """Check that a photo can be added. Raises InspectionNotFoundError, InspectionFullError."""
        with self.database.reading() as session:
            repository.get(session, inspection_id)
            check_not_full(repository.photo_count(session, inspection_id))

    def add(
        self, inspection_id: str, data: bytes, prediction: Prediction, grade: Grade, filename: str
    ) -> tuple[AddOutcome, Photo]:
        """Add a photo whose fruits were graded. It is on disk and in the catalog on return.

        Raises InspectionNotFoundError, InspectionFullError.
        """
        record = Record.of(prediction, grade, filename)
        stored = encode_stored_image(grade.stored_image)
        pixels = thumbnail_pixels(decode(stored).image)
        key = blob_key([record]) if self.keeps_photos else None
        if key:
            self.blobs.put(key, stored)
        outcome: AddOutcome = "known"
        removed: str | None = None
        try:
            with self.database.session() as session:
                repository.get(session, inspection_id, lock=True)
                rows = repository.photo_rows(session, inspection_id)
                row = _photo_row(inspection_id, content_hash(data), prediction, grade)
                known = next((one for one in rows if one.sha256 == row.sha256), None)
                if known is not None and known.removed_at is not None:
                    # The new upload replaces the removed photo, which can no longer be restored.
                    removed = known.blob
                    session.delete(known)
                    session.flush()
                    known = None
                if known is None:
                    present = [one for one in rows if one.removed_at is None]
                    check_not_full(len(present))
                    row.number = max((one.number for one in rows), default=0) + 1
                    row.same_as = find_same(pixels, present)
                    row.thumbnail = encode_thumbnail(pixels) if self.keeps_photos else None
                    _insert(session, record.row(key), row, grade)
                    outcome = "added"
                photo = repository.photo(session, inspection_id, (known or row).id)
        except BaseException:
            self._forget(key)
            raise
        self._forget(key if outcome == "known" else removed)
        return outcome, photo

    def count(self, inspection_id: str, photo_id: str, *, counted: bool) -> Photo:
        """Set whether a photo counts, or shows the same fruits as another.

        Raises InspectionNotFoundError, InspectionPhotoNotFoundError.
        """
        with self.database.session() as session:
            repository.get(session, inspection_id, lock=True)
            photo = repository.photo(session, inspection_id, photo_id)
            photo.row.counted = counted
            return photo

    def remove_photo(
        self, inspection_id: str, photo_id: str, *, only_removed: bool = False
    ) -> None:
        """Delete a photo for good, even one that was removed; `only_removed`: only such a one.

        What was learned from it stays in the training data. Raises InspectionNotFoundError,
        InspectionPhotoNotFoundError.
        """
        with self.database.session() as session:
            repository.get(session, inspection_id, lock=True)
            row, prediction = repository.any_photo(session, inspection_id, photo_id)
            if only_removed and row.removed_at is None:
                raise repository.InspectionPhotoNotFoundError()
            key, prediction.blob = prediction.blob or row.blob, None
            repository.forget_repetitions(session, photo_id)
            session.delete(row)
        self._forget(key)

    def delete(self, inspection_id: str, *, only_removed: bool = False) -> None:
        """Delete an inspection with its photos for good, even one that was removed; `only_removed`:
        only such a one. Raises InspectionNotFoundError.
        """
        with self.database.session() as session:
            inspection = repository.get_any(session, inspection_id)
            if only_removed and inspection.removed_at is None:
                raise repository.InspectionNotFoundError(inspection_id)
            rows = repository.photo_rows(session, inspection_id)
            predictions = [session.get_one(PredictionRow, row.id) for row in rows]
            keys = [row.blob for row in rows] + [one.blob for one in predictions]
            for prediction in predictions:
                prediction.blob = None
            session.delete(inspection)
        self._forget(*keys)

    def sweep(self, at: datetime, keep_days: float) -> int:
        """Delete the inspections that were opened more than `keep_days` before `at`, and the
        thumbnails of photos that are no longer kept; returns the number of inspections.
        """
        before, deleted = at - timedelta(days=keep_days), 0
        with self.database.session() as session:
            repository.clear_thumbnails(session)
        while True:
            with self.database.reading() as session:
                old = repository.older_than(session, before, MAX_PHOTOS)
            for inspection_id in old:
                try:
                    self.delete(inspection_id)
                except repository.InspectionNotFoundError:  # Deleted by another process.
                    continue
                deleted += 1
            if not old:
                return deleted

    def _forget(self, *keys: str | None) -> None:
        """Delete photos that no row refers to. A failure is only logged: the retention of
        predictions deletes them later."""
        try:
            self.blobs.delete_each(filter(None, keys))
        except StoreError as error:
            log.warning("Photos of an inspection are deleted later: %s", error)


def check_not_full(photos: int) -> None:
    if photos >= MAX_PHOTOS:
        raise InspectionFullError()


def _photo_row(
    inspection_id: str, sha256: str, prediction: Prediction, grade: Grade
) -> InspectionPhotoRow:
    found = _instances(grade)
    return InspectionPhotoRow(
        id=prediction.prediction_id,
        inspection_id=inspection_id,
        sha256=sha256,
        width=found.width,
        height=found.height,
        ungraded=found.ungraded,
    )


def _insert(
    session: Session, prediction: PredictionRow, row: InspectionPhotoRow, grade: Grade
) -> None:
    session.add(prediction)
    session.flush()
    session.add(row)
    session.flush()
    for number, instance in enumerate(_instances(grade).fruits, start=1):
        session.add(_fruit_row(row.id, number, instance))
    session.flush()


def _fruit_row(photo_id: str, number: int, instance: Instance) -> InspectionFruitRow:
    grade = instance.grade
    thresholds = grade.thresholds
    return InspectionFruitRow(
        photo_id=photo_id,
        number=number,
        **instance.box._asdict(),
        predicted_class=grade.class_name,
        confidence=grade.confidence,
        recognised=grade.recognised,
        freshness_score=grade.freshness_score,
        freshness_level=grade.freshness_level,
        added=False,
        rotten_below=thresholds.rotten_below if thresholds else None,
        fresh_from=thresholds.fresh_from if thresholds else None,
    )


def find_same(pixels: NDArray[np.uint8], rows: Sequence[InspectionPhotoRow]) -> str | None:
    """The photo that seems to show the same fruits; if possible, not itself a repetition."""
    known = [(row, row.thumbnail) for row in rows if row.thumbnail]
    if not known:
        return None
    others = np.stack([read_thumbnail(thumbnail) for _, thumbnail in known])
    place = first_same_scene(pixels, others)
    if place is None:
        return None
    row, _ = known[place]
    return row.same_as if row.same_as and row.counted is False else row.id


def _instances(grade: Grade) -> Instances:
    if grade.instances is None:
        raise ValueError("the grade was made without instances")
    return grade.instances
