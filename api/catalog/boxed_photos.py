"""Adding, changing and removing photos with boxes around their fruits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image
from sqlalchemy.orm import Session

from api.catalog import boxed_repository, repository
from api.catalog.box_frames import LabelledBox, Size, checked, scaled, upright
from api.catalog.boxed_repository import BoxedPhoto
from api.catalog.duplicate_index import DuplicateIndex, SourceGroup
from api.catalog.photo_files import StagedPhoto, delete_photos, photo_key, stage_photo, store_file
from api.catalog.sanitize import SanitizedImage, sanitize
from api.catalog.service import ID_LETTERS, MAX_STEM
from api.catalog.thumbnails import encode_thumbnail
from api.core.errors import NotFoundError, UnprocessableError
from api.core.imaging.decode import FORMATS, MAX_PIXELS, orientation_of
from api.core.imaging.hashing import content_hash
from api.core.near_duplicates import original_name, safe_filename
from api.core.splits import secret_split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import StoreError
from api.storage.tables.photos import BoxedPhotoRow

BoxedOrigin = Literal["upload", "feedback"]
# known: it was there already, and was left unchanged.
BoxedOutcome = Literal["stored", "replaced", "known"]
# Prefix of source groups: boxed photos have no class to name them by.
GROUPS = "boxed/"


class DamagedBoxedPhotoError(NotFoundError):
    code = "image-damaged"

    def __init__(self, photo_id: str) -> None:
        super().__init__(
            f"The stored file of boxed photo '{photo_id}' cannot be shown: it is damaged, or over "
            f"today's limits. Remove it: DELETE /dataset/boxed-photos/{photo_id}."
        )


class NothingMarkedError(UnprocessableError):
    code = "nothing-marked"
    detail = (
        "There are no boxes, and 'complete' is false, so nothing is said about the photo. Draw a "
        "box around each fruit, or send complete=true if it shows none."
    )


@dataclass(frozen=True)
class Annotation:
    """The boxes of one photo. `complete`: every fruit has one.

    `frame` is the upright size of the picture that they were drawn on; None: as stored. `of_file`:
    a file states it, and its tool may have ignored the EXIF orientation.
    """

    boxes: Sequence[LabelledBox]
    complete: bool
    frame: Size | None = None
    of_file: bool = False

    def on(self, size: Size, orientation: int = 1) -> list[LabelledBox]:
        """The boxes in pixels of the upright photo of `size`.

        `orientation`: from the file's EXIF data.

        Raises NothingMarkedError, TooManyBoxesError, BadBoxError, OtherSizeError.
        """
        if not self.boxes and not self.complete:
            raise NothingMarkedError()
        frame = self.frame or size
        boxes = checked(self.boxes, frame)
        if self.of_file:
            return upright(boxes, frame, size, orientation)
        return scaled(boxes, frame, size)


@dataclass(frozen=True)
class BoxedPhotoStore:
    """Adds boxed photos to the catalog. `index` has the photos that are known."""

    database: Database
    blobs: Blobs
    index: DuplicateIndex
    max_pixels: int = MAX_PIXELS

    def stage(self, data: bytes) -> StagedPhoto:
        """Like `PhotographStore.stage`."""
        with self.database.reading() as session:
            if boxed_repository.by_sha256(session, content_hash(data)):
                return StagedPhoto(data, None)
        return stage_photo(self.blobs, data, self.max_pixels)

    def add(
        self,
        data: bytes,
        annotation: Annotation,
        *,
        origin: BoxedOrigin,
        filename: str,
        prediction_id: str | None = None,
        photo_id: str | None = None,
    ) -> tuple[BoxedOutcome, BoxedPhoto]:
        """Add a photo with its boxes. Both are in the catalog on return.

        `photo_id`: from `stage`, which has stored the file. Boxes from feedback replace those of
        earlier feedback on the same file; otherwise a known file keeps its boxes. A copy of a known
        photo gets the group and split of that photo. Raises what `Annotation.on` and
        `imaging.decode` raise, without storing anything.
        """
        sha256 = content_hash(data)
        sanitized = sanitize(data, self.max_pixels)
        size = Size(sanitized.width, sanitized.height)
        boxes = annotation.on(size, _orientation(data) if annotation.of_file else 1)
        with self.database.reading() as session:
            group = self.index.find_group(session, sha256, sanitized.photo)
            known = boxed_repository.by_sha256(session, sha256)
        if not known and not photo_id:
            photo_id = store_file(self.blobs, sanitized)
        with self.database.session() as session:
            repository.lock_images(session)
            if known := boxed_repository.by_sha256(session, sha256):
                if not origin == known.origin == "feedback":
                    return "known", boxed_repository.get(session, known.id)
                known.prediction_id = prediction_id
                return "replaced", _put(session, known, boxes, complete=annotation.complete)
            self.index.refresh(session)
            group = group or self.index.find_new_group(session, sha256, sanitized.photo)
            # If the photo was known and has just been removed, its file is not there yet.
            photo_id = photo_id or store_file(self.blobs, sanitized)
            row = _row(session, photo_id, sanitized, group, filename)
            row.sha256, row.origin = sha256, origin
            row.complete, row.prediction_id = annotation.complete, prediction_id
            session.add(row)
            session.flush()
            return "stored", _put(session, row, boxes, complete=annotation.complete)


def change(session: Session, photo_id: str, annotation: Annotation) -> BoxedPhoto:
    """Replace the boxes of a photo.

    Raises BoxedPhotoNotFoundError and what `Annotation.on` raises.
    """
    repository.lock_images(session)
    row = boxed_repository.get(session, photo_id).row
    boxes = annotation.on(Size(row.width, row.height))
    return _put(session, row, boxes, complete=annotation.complete)


def remove(database: Database, blobs: Blobs, photo_id: str) -> None:
    """Remove a photo, its boxes and its blob. Raises BoxedPhotoNotFoundError."""
    with database.session() as session:
        repository.lock_images(session)
        key = boxed_repository.delete_photo(session, photo_id)
    delete_photos(database, blobs, [key])


def load_photo(blobs: Blobs, row: BoxedPhotoRow) -> bytes:
    """The stored photo. Raises BoxedPhotoNotFoundError if it was removed meanwhile, or
    DamagedBoxedPhotoError."""
    try:
        return blobs.get(row.blob)
    except FileNotFoundError:
        raise boxed_repository.BoxedPhotoNotFoundError(row.id) from None
    except StoreError as error:
        if not error.is_of_one_file:
            raise
        raise DamagedBoxedPhotoError(row.id) from error


def _put(
    session: Session, row: BoxedPhotoRow, boxes: list[LabelledBox], *, complete: bool
) -> BoxedPhoto:
    boxed_repository.put_boxes(session, row, boxes, complete=complete)
    return BoxedPhoto(row, boxes)


def _orientation(data: bytes) -> int:
    """The EXIF orientation of a photo that decodes; a repaired one counts as upright."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return orientation_of(image)
    except Exception:  # As in `decode`.
        return 1


def _row(
    session: Session,
    photo_id: str,
    sanitized: SanitizedImage,
    group: SourceGroup | None,
    filename: str,
) -> BoxedPhotoRow:
    """The row of a new photo, without its hash, origin and boxes."""
    name = safe_filename(filename)
    if group is None:
        # With a part of the random ID, so that file names cannot put two photos into one group.
        photograph = f"{GROUPS}{original_name(name)[:MAX_STEM]}-{photo_id[:ID_LETTERS]}"
        secret = repository.split_secret(session)
        group = SourceGroup(photograph, secret_split_of(sanitized.pixels_hash, secret))
    return BoxedPhotoRow(
        id=photo_id,
        number=repository.next_photo_number(session),
        blob=photo_key(photo_id, sanitized),
        signature=sanitized.signature.tobytes().hex(),
        photograph=group.photograph,
        split=group.split,
        filename=name,
        width=sanitized.width,
        height=sanitized.height,
        bytes=len(sanitized.data),
        thumbnail=encode_thumbnail(sanitized.photo.thumbnail),
    )
