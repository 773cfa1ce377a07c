"""Prepares an uploaded photo for storage: verified, measured, and without its metadata."""

import io
from dataclasses import dataclass
from threading import BoundedSemaphore

import numpy as np
from numpy.typing import NDArray

from api.catalog.duplicate_index import Photo
from api.core.appearance import Appearance, appearance
from api.core.errors import ProblemError
from api.core.imaging.alignment import thumbnail_pixels
from api.core.imaging.decode import MAX_PIXELS, DecodedImage, decode
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.imaging.metadata import strip_metadata
from api.settings import usable_cores

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
LOSSY = ("JPEG", "HEIF", "AVIF")
MAX_JPEG_SIDE = 65_500
# Leaves half of the cores to predictions, and bounds the large images in memory.
_DECODE_SLOTS = BoundedSemaphore(max(1, usable_cores() // 2))


@dataclass(frozen=True)
class SanitizedImage:
    """What is stored for a photo.

    `data`: a JPEG, PNG or WebP without metadata. `pixels_hash`: SHA-256 of the decoded pixels, in
    hexadecimal. `signature`: uint8 [80]. `width`, `height`: of the upright image, in pixels.
    `photo`: decoded, to recognise copies.
    """

    data: bytes
    suffix: str
    pixels_hash: str
    signature: NDArray[np.uint8]
    width: int
    height: int
    appearance: Appearance
    photo: Photo


def sanitize(data: bytes, max_pixels: int = MAX_PIXELS) -> SanitizedImage:
    """Decode the whole image and strip its metadata. Raises what `decode` raises.

    The result decodes to the same pixels as `data`, except for HEIC and AVIF, which become JPEG,
    and for some damaged files that still decode.
    """
    with _DECODE_SLOTS:
        stored, decoded = _strip(data, max_pixels) or _reencode(data, max_pixels)
        return SanitizedImage(
            data=stored,
            suffix=SUFFIXES[decoded.format],
            pixels_hash=content_hash(decoded.image.tobytes()),
            signature=perceptual_hash(decoded.image),
            width=decoded.width,
            height=decoded.height,
            appearance=appearance(decoded.image),
            photo=Photo(decoded.image, thumbnail_pixels(decoded.image)),
        )


def _strip(data: bytes, max_pixels: int) -> tuple[bytes, DecodedImage] | None:
    """Remove the metadata without re-encoding, where the format allows."""
    stripped = strip_metadata(data)
    if stripped is None:
        return None
    try:
        return stripped, decode(stripped, max_pixels)
    except ProblemError:  # Re-encoding raises the error for the file as it was sent.
        return None


def _reencode(data: bytes, max_pixels: int) -> tuple[bytes, DecodedImage]:
    decoded = decode(data, max_pixels, full_size=True)
    stream = io.BytesIO()
    if decoded.format in LOSSY and max(decoded.image.size) <= MAX_JPEG_SIDE:
        decoded.image.save(stream, "JPEG", quality=95, subsampling="4:4:4")
    else:
        decoded.image.save(stream, "PNG")
    stored = stream.getvalue()
    return stored, decode(stored, max_pixels)
