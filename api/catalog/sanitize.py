"""From the bytes that were sent to what is stored: verified, without metadata, described."""

import io
from dataclasses import dataclass
from threading import BoundedSemaphore

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import Appearance, appearance
from api.core.errors import ProblemError
from api.core.imaging.decode import MAX_PIXELS, Photograph, decode
from api.core.imaging.hashing import perceptual_hash
from api.core.imaging.metadata import strip_metadata
from api.settings import usable_cores

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
LOSSY = ("JPEG", "HEIF")
MAX_JPEG_SIDE = 65_500
# Uploads leave half of the cores to grading, and large pictures are in memory few at a time.
_AT_ONCE = BoundedSemaphore(max(1, usable_cores() // 2))


@dataclass(frozen=True)
class Prepared:
    """What will be stored of one photograph.

    `data` is a JPEG, PNG or WebP without metadata, and `suffix` goes with it; `signature` is uint8
    [80]; `width` and `height` are upright, in pixels.
    """

    data: bytes
    suffix: str
    signature: NDArray[np.uint8]
    width: int
    height: int
    appearance: Appearance


def prepare(data: bytes, max_pixels: int = MAX_PIXELS) -> Prepared:
    """Decode the whole photograph and take out its metadata. Raises what `decode` raises.

    What comes out decodes to the same pixels as `data`, but for HEIC, which is stored as JPEG, and
    for a few damaged files that can be decoded still.
    """
    with _AT_ONCE:
        stored, photograph = _stripped(data, max_pixels) or _encoded(data, max_pixels)
        return Prepared(
            data=stored,
            suffix=SUFFIXES[photograph.format],
            signature=perceptual_hash(photograph.image),
            width=photograph.width,
            height=photograph.height,
            appearance=appearance(photograph.image),
        )


def _stripped(data: bytes, max_pixels: int) -> tuple[bytes, Photograph] | None:
    stripped = strip_metadata(data)
    if stripped is None:
        return None
    try:
        return stripped, decode(stripped, max_pixels)
    except ProblemError:  # What is wrong is told of the file as it was sent.
        return None


def _encoded(data: bytes, max_pixels: int) -> tuple[bytes, Photograph]:
    photograph = decode(data, max_pixels, full_size=True)
    stream = io.BytesIO()
    if photograph.format in LOSSY and max(photograph.image.size) <= MAX_JPEG_SIDE:
        photograph.image.save(stream, "JPEG", quality=95, subsampling="4:4:4")
    else:
        photograph.image.save(stream, "PNG")
    stored = stream.getvalue()
    return stored, decode(stored, max_pixels)
