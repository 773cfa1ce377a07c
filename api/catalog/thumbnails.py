"""Thumbnails of the catalog's photos, by which a new photo is compared with them."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy.orm import Session

from api.catalog import repository
from api.core.errors import ProblemError
from api.core.imaging.alignment import SIDE, thumbnail_pixels
from api.core.imaging.decode import decode
from api.storage.blobs import Blobs

QUALITY = 90
# Images of older catalogs have no thumbnail: the likeliest, up to this many, are read from blobs.
MAX_DECODED = 3


def encode_thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG of uint8 [64, 64, 3], 2 to 4 kB."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return stream.getvalue()


def read_thumbnails(
    session: Session,
    blobs: Blobs,
    image_ids: Sequence[str],
    table: repository.WithThumbnail,
) -> dict[str, NDArray[np.uint8]]:
    """Thumbnails uint8 [64, 64, 3] by ID, the likeliest images first. Some may be missing."""
    pixels: dict[str, NDArray[np.uint8]] = {}
    decoded = 0
    stored = repository.thumbnails(session, image_ids, table)
    for image_id in dict.fromkeys(image_ids):
        if image_id not in stored:
            continue
        thumbnail, blob = stored[image_id]
        if thumbnail is not None:
            pixels[image_id] = read_thumbnail(thumbnail)
        elif decoded < MAX_DECODED:
            decoded += 1
            # Missing if it was removed meanwhile.
            if (data := blobs.get_if_readable(blob)) is None:
                continue
            try:
                pixels[image_id] = thumbnail_pixels(decode(data).image)
            except ProblemError:
                continue
    return pixels


def read_thumbnail(thumbnail: bytes) -> NDArray[np.uint8]:
    """The pixels, uint8 [64, 64, 3], of a JPEG from `encode_thumbnail`."""
    image = Image.open(io.BytesIO(thumbnail), formats=("JPEG",))
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE)), dtype=np.uint8)
