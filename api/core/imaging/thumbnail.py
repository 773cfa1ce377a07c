"""A small copy of a photograph to look at."""

import io

from api.core.imaging.decode import DRAFT_SIDE, MAX_PIXELS, decode

QUALITY = 85


def thumbnail(data: bytes, size: int, max_pixels: int = MAX_PIXELS) -> bytes:
    """A JPEG of the photograph in `data`, upright, no side longer than `size` pixels.

    A picture that is smaller stays as it is. Raises what `decode` raises.
    """
    # `decode` may shrink a picture below a size that is larger than this.
    image = decode(data, max_pixels, full_size=size > DRAFT_SIDE).image
    image.thumbnail((size, size))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
