"""Adding and removing training photos.

The blob is stored before its row and deleted after it, so no row is ever without its blob.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Literal, Self

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.duplicate_index import DuplicateIndex, Match, MatchKind, Photo
from api.catalog.sanitize import SanitizedImage, sanitize
from api.catalog.thumbnails import encode_thumbnail, read_thumbnails
from api.core.errors import NotFoundError, ProblemError
from api.core.imaging.decode import MAX_PIXELS
from api.core.imaging.hashing import content_hash
from api.core.labels import accepted_class_name
from api.core.near_duplicates import original_name, safe_filename, saved_rotation
from api.core.photo_copies import is_turned_copy
from api.core.splits import secret_split_of
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database, now
from api.storage.failures import EmptyCatalogError, StoreError
from api.storage.ids import new_id
from api.storage.removed_table import RemovedPhotoRow
from api.storage.tables import ImageRow

Origin = Literal["upload", "feedback", "review"]
FOLDER = "photographs"
MAX_STEM = 120
ID_LETTERS = 12
# Most photos of a group that a file with the group's name is compared with.
MAX_MEMBERS = 3
# A younger blob may belong to an upload that has not written its row yet.
ORPHAN_AGE = timedelta(hours=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """A photo that was added. `filename` is as it was sent."""

    filename: str
    image: ImageRow


class DuplicateFile(BaseModel):
    """An uploaded file that shows a known photo and was not stored."""

    filename: str = Field(
        description="Name as sent; in a zip, the name of the zip and the path in it."
    )
    of: str = Field(description="ID of the group of files that show the same photo.")
    image_id: str | None = Field(
        description="ID of the known image; null if the photo is only in the training set of the "
        "current version."
    )
    kind: MatchKind = Field(description="exact: the same file; near: a near-duplicate.")
    class_name: str = Field(description="Class of the known photo.")
    message: str = Field(
        description="What is known, and what to do if the class differs, in English."
    )

    @classmethod
    def of_match(cls, filename: str, match: Match, sent_class: str) -> Self:
        """`sent_class` is the class that the file was uploaded with."""
        return cls(
            filename=filename,
            of=match.photograph,
            image_id=match.image_id,
            kind=match.kind,
            class_name=match.class_name,
            message=_duplicate_message(match, sent_class),
        )


Outcome = Stored | DuplicateFile


def _duplicate_message(match: Match, sent_class: str) -> str:
    what = "This file is" if match.kind == "exact" else "This photo looks like one that is"
    where = "" if match.image_id else " among those that the serving model learned from"
    known = f"{what} known already{where}, as {match.class_name}"
    if match.class_name == sent_class:
        return f"{known}."
    if match.image_id:
        return (
            f"{known} and not {sent_class}. If {sent_class} is right, relabel it: "
            f"PATCH /dataset/images/{match.image_id}."
        )
    return (
        f"{known} and not {sent_class}. It is not in the catalog, so there is nothing to relabel: "
        "put it right in the folder that this model was trained on, and train anew."
    )


@dataclass(frozen=True)
class PhotographStore:
    """Adds photos to the catalog. `index` has the photos that are known."""

    database: Database
    blobs: Blobs
    index: DuplicateIndex
    max_pixels: int = MAX_PIXELS

    def put_file(self, data: bytes) -> None:
        """Store the file of a photo that `add` will then add inside a transaction: a slow store
        must not keep that open. Raises what `imaging.decode` raises.
        """
        sha256 = content_hash(data)
        with self.database.reading() as session:
            if self.index.find_file(session, sha256):
                return
        sanitized = sanitize(data, self.max_pixels)
        self.blobs.put(photo_key(sha256, sanitized), sanitized.data)

    def add(
        self,
        data: bytes,
        *,
        class_name: str,
        origin: Origin,
        filename: str,
        is_put: bool = False,
    ) -> Outcome:
        """Add a photo unless it is a duplicate. It is on disk and in the catalog on return.

        `class_name` need not be normalized. `is_put`: `put_file` has just stored the file. Raises
        BadClassNameError and what `imaging.decode` raises, without storing anything.
        """
        class_name = accepted_class_name(class_name)
        sha256 = content_hash(data)
        # The same file first: that needs no decoding.
        with self.database.reading() as session:
            if match := self.index.find_file(session, sha256):
                return DuplicateFile.of_match(filename, match, class_name)
        sanitized = sanitize(data, self.max_pixels)
        photo = sanitized.photo
        with self.database.reading() as session:
            if match := self.index.find_copy(session, photo):
                return DuplicateFile.of_match(filename, match, class_name)
            boxed = self.index.find_boxed_group(session, photo)

        key = photo_key(sha256, sanitized)
        if not is_put:
            self.blobs.put(key, sanitized.data)
        with self.database.session() as session:
            repository.lock_images(session)
            # Another process may have stored the same photo meanwhile, or deleted it with its blob.
            self.index.refresh(session)
            match = self.index.find_file(session, sha256) or self.index.find_in_catalog(
                session, photo, only_new=True
            )
            if match:
                return DuplicateFile.of_match(filename, match, class_name)
            if not self.blobs.exists(key):
                self.blobs.put(key, sanitized.data)
            image_id = new_id()
            boxed = boxed or self.index.find_boxed_group(session, photo, only_new=True)
            group, split = boxed or self._group(session, class_name, filename, image_id, photo)
            row = ImageRow(
                id=image_id,
                sha256=sha256,
                signature=sanitized.signature.tobytes().hex(),
                class_name=class_name,
                photograph=group,
                split=split
                or secret_split_of(sanitized.pixels_hash, repository.split_secret(session)),
                origin=origin,
                filename=safe_filename(filename),
                width=sanitized.width,
                height=sanitized.height,
                bytes=len(sanitized.data),
                **asdict(sanitized.appearance),
                blob=key,
                thumbnail=encode_thumbnail(photo.thumbnail),
            )
            session.add(row)
        return Stored(filename, row)

    def _group(
        self, session: Session, class_name: str, filename: str, image_id: str, photo: Photo
    ) -> tuple[str, str | None]:
        """The source group of a photo, and its split if the group is known.

        The name of a file proposes the group of the photo that it is a saved copy of (turned by any
        angle, shifted, speckled); the pixels decide. Otherwise the group is new. If its name is
        taken, a part of the random id is appended: phones call every photo `image.jpg`, and file
        names must not put two photos into one group.
        """
        plain = safe_filename(filename)
        group = f"{class_name}/{original_name(plain)[:MAX_STEM]}"
        is_taken = self.index.has_group(group)
        # A removed photo may be restored, so its group stays what it was.
        for table in (ImageRow, RemovedPhotoRow):
            members = repository.group_members(session, group, MAX_MEMBERS, table)
            known = read_thumbnails(session, self.blobs, [one.id for one in members], table)
            for member in members:
                is_taken = True
                angle = saved_rotation(plain) - saved_rotation(member.filename)
                pixels = known.get(member.id)
                if pixels is not None and is_turned_copy(photo.thumbnail, pixels, angle):
                    return group, member.split
        if not is_taken:
            return group, None
        return f"{group}-{image_id[:ID_LETTERS]}", None


def photo_key(sha256: str, sanitized: SanitizedImage) -> str:
    return f"{FOLDER}/{sha256[:2]}/{sha256}{sanitized.suffix}"


class DamagedImageError(NotFoundError):
    code = "image-damaged"

    def __init__(self, image: ImageRow) -> None:
        super().__init__(
            f"The stored file of image '{image.id}' ({image.filename!r}) cannot be shown: it is "
            f"damaged, or over today's limits. Remove it (DELETE /dataset/images/{image.id}) and "
            "upload the photo again."
        )


@contextmanager
def decoding(image: ImageRow) -> Iterator[None]:
    """Raises DamagedImageError where decoding the stored file of `image` fails."""
    try:
        yield
    except ProblemError as error:
        log.warning("The file of image %s is damaged: %s (%s)", image.id, image.blob, error)
        raise DamagedImageError(image) from error


def open_catalog(database: Database, blobs: Blobs) -> None:
    """Upgrade the database, or make it. Raises what `Database.upgrade` raises, and
    EmptyCatalogError if it was lost: photos that no row names would be swept as orphans."""
    if database.is_empty() and any(blobs.keys(FOLDER)):
        raise EmptyCatalogError()
    database.upgrade()


def load_image(blobs: Blobs, image: ImageRow) -> bytes:
    """The stored photo. Raises ImageNotFoundError if it was removed meanwhile."""
    try:
        return blobs.get(image.blob)
    except FileNotFoundError:
        raise repository.ImageNotFoundError(image.id) from None


def remove_images(database: Database, blobs: Blobs, image_ids: Sequence[str]) -> list[str]:
    """Remove images and their blobs. Returns the ids of those that existed."""
    with database.session() as session:
        repository.lock_images(session)
        removed = repository.delete_images(session, image_ids)
    delete_photos(database, blobs, [key for _, key in removed])
    return [image_id for image_id, _ in removed]


def delete_photos(database: Database, blobs: Blobs, keys: Sequence[str]) -> None:
    """Delete the blobs of rows that are gone, unless other rows refer to them.

    A failure is only logged: the removal is done, and `sweep_orphans` deletes the blobs later.
    """
    try:
        blobs.delete_each(keys, partial(delete_unreferenced, database, blobs))
    except (StoreError, *UNAVAILABLE) as error:
        log.warning("Removed photos are deleted later: %s", error)


def sweep_orphans(database: Database, blobs: Blobs) -> int:
    """At start-up, delete blobs without a row, left by a process that died between the two.

    Returns how many were deleted.
    """
    with database.reading() as session:
        referenced = repository.referenced_blobs(session)
    deleted = 0

    def delete(key: str) -> None:
        nonlocal deleted
        with suppress(FileNotFoundError):  # Another process sweeps too.
            if blobs.modified_at(key) < now() - ORPHAN_AGE:
                deleted += delete_unreferenced(database, blobs, key)

    blobs.delete_each((key for key in blobs.keys(FOLDER) if key not in referenced), delete)
    if deleted:
        log.info("Deleted %d orphaned photos.", deleted)
    return deleted


def delete_unreferenced(database: Database, blobs: Blobs, key: str) -> bool:
    """Delete the blob unless a row refers to it; returns whether it did."""
    # Under the lock, so that no row for it can appear in between.
    with database.session() as session:
        repository.lock_images(session)
        if repository.is_blob_referenced(session, key):
            return False
        blobs.delete(key)
    return True
