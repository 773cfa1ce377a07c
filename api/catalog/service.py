"""Adding and removing training photos."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Self

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.duplicate_index import DuplicateIndex, Match, MatchKind, Photo
from api.catalog.photo_files import (
    FOLDER,
    StagedPhoto,
    delete_photos,
    photo_key,
    stage_photo,
    store_file,
)
from api.catalog.sanitize import sanitize
from api.catalog.thumbnails import encode_thumbnail, read_thumbnails
from api.core.imaging.decode import MAX_PIXELS
from api.core.imaging.hashing import content_hash
from api.core.labels import accepted_class_name
from api.core.near_duplicates import original_name, safe_filename, saved_rotation
from api.core.photo_copies import is_turned_copy
from api.core.splits import secret_split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import EmptyCatalogError
from api.storage.tables.photos import ImageRow, RemovedPhotoRow

Origin = Literal["upload", "feedback", "review"]
MAX_STEM = 120
ID_LETTERS = 12
# A file with the name of a group is compared with at most this many of its photos.
MAX_MEMBERS = 3


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
        "correct it in the folder that this model was trained on, and train again."
    )


@dataclass(frozen=True)
class PhotographStore:
    """Adds photos to the catalog. `index` has the photos that are known."""

    database: Database
    blobs: Blobs
    index: DuplicateIndex
    max_pixels: int = MAX_PIXELS

    def stage(self, data: bytes) -> StagedPhoto:
        """Store the file of a photo that `add` will add inside a caller's transaction.

        Raises what `imaging.decode` raises.
        """
        with self.database.reading() as session:
            if self.index.find_file(session, content_hash(data)):
                return StagedPhoto(data, None)
        return stage_photo(self.blobs, data, self.max_pixels)

    def add(
        self,
        data: bytes,
        *,
        class_name: str,
        origin: Origin,
        filename: str,
        photo_id: str | None = None,
    ) -> Outcome:
        """Add a photo unless it is a duplicate. It is on disk and in the catalog on return.

        `class_name` need not be normalized. `photo_id`: from `stage`, which has stored the file.
        Raises BadClassNameError and what `imaging.decode` raises, without storing anything.
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

        photo_id = photo_id or store_file(self.blobs, sanitized)
        with self.database.session() as session:
            repository.lock_images(session)
            # Another process may have stored the same photo meanwhile.
            self.index.refresh(session)
            match = self.index.find_file(session, sha256) or self.index.find_in_catalog(
                session, photo, only_new=True
            )
            if match:
                return DuplicateFile.of_match(filename, match, class_name)
            boxed = boxed or self.index.find_boxed_group(session, photo, only_new=True)
            group, split = boxed or self._group(session, class_name, filename, photo_id, photo)
            row = ImageRow(
                id=photo_id,
                number=repository.next_photo_number(session),
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
                blob=photo_key(photo_id, sanitized),
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
        taken, a part of the random ID is appended: phones call every photo `image.jpg`, and file
        names must not put two photos into one group.
        """
        plain = safe_filename(filename)
        group = f"{class_name}/{original_name(plain)[:MAX_STEM]}"
        is_taken = self.index.has_group(group)
        # A removed photo may be restored, so its group stays taken.
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


def open_catalog(database: Database, blobs: Blobs) -> None:
    """Upgrade the database, or create it. Raises what `Database.upgrade` raises, and
    EmptyCatalogError if it was lost: photos that no row names would be swept as orphans."""
    database.check_not_restoring()
    if database.is_empty() and any(blobs.keys(FOLDER)):
        raise EmptyCatalogError()
    database.upgrade()


def remove_images(database: Database, blobs: Blobs, image_ids: Sequence[str]) -> list[str]:
    """Remove images and their blobs. Returns the IDs of those that existed."""
    with database.session() as session:
        repository.lock_images(session)
        removed = repository.delete_images(session, image_ids)
    delete_photos(database, blobs, [key for _, key in removed])
    return [image_id for image_id, _ in removed]
