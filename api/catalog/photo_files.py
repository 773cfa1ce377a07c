"""The files of photos in the blob store: each row of the catalog has one of its own.

A file is stored before its row and deleted after it, so no row is ever without its file. Since no
other row may name it, the catalog need not be locked while the store works.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from api.catalog import repository
from api.catalog.sanitize import SanitizedImage, sanitize
from api.core.errors import NotFoundError, ProblemError
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database, now
from api.storage.failures import StoreError
from api.storage.ids import new_id
from api.storage.tables.photos import ImageRow

FOLDER = "photographs"
# A younger file may belong to an upload that has not written its row yet.
ORPHAN_AGE = timedelta(hours=1)
log = logging.getLogger(__name__)


class StagedPhoto(NamedTuple):
    """A photo whose file was stored ahead of its row, so that no transaction waits for the store.

    `photo_id`: the ID that its row will have; None if the photo is known and needs no file.
    """

    data: bytes
    photo_id: str | None


def photo_key(photo_id: str, sanitized: SanitizedImage) -> str:
    return f"{FOLDER}/{photo_id[:2]}/{photo_id}{sanitized.suffix}"


def store_file(blobs: Blobs, sanitized: SanitizedImage) -> str:
    """Store the file of a new photo. Returns the ID that its row will have."""
    photo_id = new_id()
    blobs.put(photo_key(photo_id, sanitized), sanitized.data)
    return photo_id


def stage_photo(blobs: Blobs, data: bytes, max_pixels: int) -> StagedPhoto:
    """Like `store_file`, for a photo as it was sent. Raises what `imaging.decode` raises."""
    return StagedPhoto(data, store_file(blobs, sanitize(data, max_pixels)))


def load_image(blobs: Blobs, image: ImageRow) -> bytes:
    """The stored photo. Raises ImageNotFoundError if it was removed meanwhile, or
    DamagedImageError."""
    try:
        return blobs.get(image.blob)
    except FileNotFoundError:
        raise repository.ImageNotFoundError(image.id) from None
    except StoreError as error:
        if not error.is_of_one_file:
            raise
        raise DamagedImageError(image) from error


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
    """Raises DamagedImageError if decoding the stored file of `image` fails."""
    try:
        yield
    except ProblemError as error:
        log.warning("The file of image %s is damaged: %s (%s)", image.id, image.blob, error)
        raise DamagedImageError(image) from error


def delete_photos(database: Database, blobs: Blobs, keys: Sequence[str]) -> None:
    """Delete the blobs of rows that are gone, unless other rows refer to them.

    A failure is only logged: the removal is done, and `sweep_orphans` deletes the blobs later.
    """
    try:
        blobs.delete_each(keys, partial(delete_unreferenced, database, blobs))
    except (StoreError, *UNAVAILABLE) as error:
        log.warning("Removed photos are deleted later: %s", error)


def sweep_orphans(database: Database, blobs: Blobs) -> int:
    """Delete blobs without a row, left by a process that died before it wrote the row.

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
    """Delete the blob unless a row refers to it, as several may in catalogs of older releases.

    Returns whether it did. No new row can refer to it meanwhile: each has a new blob.
    """
    with database.reading() as session:
        if repository.is_blob_referenced(session, key):
            return False
    blobs.delete(key)
    return True
