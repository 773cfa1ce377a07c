"""How a photograph is brought down to what is kept of it."""

import io

from PIL import Image

from api.core.imaging.decode import Photograph, decode
from api.core.imaging.metadata import strip_metadata

KEPT_SIDE = 1024
KEPT_QUALITY = 90
# Twice the finest grid of a signature.
SIGNED_SIDE = 32


def select_stored_image(data: bytes, photograph: Photograph) -> bytes | Image.Image:
    """What there is to keep: the file as it came, where that can be kept but for its metadata, as a
    JPEG that is small enough, or else the picture, upright RGB, which has to be encoded.
    """
    small = max(photograph.width, photograph.height) <= KEPT_SIDE
    return data if small and photograph.format == "JPEG" else photograph.image


def encode_stored_image(photograph: bytes | Image.Image) -> bytes:
    """A JPEG of at most 1024 pixels a side, with nothing of the file in it but what is seen.

    Of a picture or of the bytes of such a JPEG, which are kept without their metadata and are not
    encoded again: that would take longer and lose detail.
    """
    if isinstance(photograph, bytes):
        stripped = strip_metadata(photograph)
        if stripped is not None:
            return stripped
        photograph = decode(photograph).image
    if max(photograph.size) > KEPT_SIDE:
        photograph = photograph.copy()
        photograph.thumbnail((KEPT_SIDE, KEPT_SIDE))
    stream = io.BytesIO()
    photograph.save(stream, "JPEG", quality=KEPT_QUALITY)
    return stream.getvalue()


def hash_thumbnail(square: Image.Image) -> Image.Image:
    """What the network saw, in as few pixels as its signature is made of.

    It is compared only with others of its kind, and takes a quarter of the time.
    """
    return square.reduce(max(1, square.width // SIGNED_SIDE))
