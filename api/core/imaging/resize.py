"""Resized copies of an image: the network's input, a thumbnail, and the JPEG that is stored."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.decode import DRAFT_SIDE, MAX_PIXELS, DecodedImage, decode
from api.core.imaging.metadata import strip_metadata

STORED_SIDE = 1024
STORED_QUALITY = 90
THUMBNAIL_QUALITY = 85
# Twice the finest grid of a perceptual hash.
HASH_SIDE = 32


def resize(image: Image.Image, size: int) -> Image.Image:
    """The whole image squeezed into a square of `size` pixels: the one resize of training,
    evaluation and serving.

    Not cropped: fruit at the edge counts, and a heat map covers the whole image.
    """
    return image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)


def to_input(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """The network's input: `resize` as uint8 [size, size, 3], RGB."""
    return np.asarray(resize(image, size), dtype=np.uint8)


def hash_thumbnail(input_image: Image.Image) -> Image.Image:
    """A small copy of the network's input for `perceptual_hash`, which is 4 times faster on it.

    Its hashes are comparable only with one another.
    """
    return input_image.reduce(max(1, input_image.width // HASH_SIDE))


def thumbnail(data: bytes, size: int, max_pixels: int = MAX_PIXELS) -> bytes:
    """An upright JPEG of the image file `data`, no side longer than `size` pixels.

    A smaller image keeps its size. Raises what `decode` raises.
    """
    # Without `full_size`, `decode` may return less than `size` pixels.
    image = decode(data, max_pixels, full_size=size > DRAFT_SIDE).image
    return _jpeg(image, size, THUMBNAIL_QUALITY)


def select_stored_image(data: bytes, decoded: DecodedImage) -> bytes | Image.Image:
    """The source for `encode_stored_image`: the file itself if it is a small JPEG, which is stored
    without re-encoding, else the decoded image.
    """
    is_small = max(decoded.width, decoded.height) <= STORED_SIDE
    return data if is_small and decoded.format == "JPEG" else decoded.image


def encode_stored_image(source: bytes | Image.Image) -> bytes:
    """A JPEG of at most 1024 pixels a side, without metadata.

    `source` comes from `select_stored_image`. The bytes of a JPEG only lose their metadata:
    re-encoding would take longer and lose detail.
    """
    if isinstance(source, bytes):
        stripped = strip_metadata(source)
        if stripped is not None:
            return stripped
        source = decode(source).image
    if max(source.size) > STORED_SIDE:
        source = source.copy()
    return _jpeg(source, STORED_SIDE, STORED_QUALITY)


def _jpeg(image: Image.Image, side: int, quality: int) -> bytes:
    """Shrinks `image` in place."""
    image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()
