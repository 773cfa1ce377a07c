"""A photo that a person chose, and smaller images of it for the browser."""

from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageOps

READABLE = ["jpg", "jpeg", "png", "webp", "bmp", "heic", "heif"]
_SHOWN = ["JPEG", "PNG", "WEBP", "BMP"]
_LONGEST_SIDE = 800
_THUMBNAIL_SIDE = 96
# The API rejects larger images; this process never decodes them.
_MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class Photo:
    """A file's bytes, with the file name that the person knows."""

    name: str
    data: bytes = field(repr=False)


def preview(data: bytes) -> bytes | None:
    """A small upright JPEG, or None if the photo cannot be shown.

    HEIC cannot: neither most browsers nor plain Pillow read it.
    """
    return _shrink(data, _LONGEST_SIDE, quality=85)


def thumbnail(data: bytes) -> str | None:
    """A thumbnail as a data URI of a few kilobytes, or None."""
    small = _shrink(data, _THUMBNAIL_SIDE, quality=70)
    return f"data:image/jpeg;base64,{b64encode(small).decode()}" if small else None


def _shrink(data: bytes, longest_side: int, *, quality: int) -> bytes | None:
    try:
        with Image.open(BytesIO(data), formats=_SHOWN) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.thumbnail((longest_side, longest_side))
            upright = _on_white(ImageOps.exif_transpose(image))
    except Exception:  # a damaged file makes Pillow's readers raise errors of any kind
        return None
    small = BytesIO()
    upright.save(small, "JPEG", quality=quality)
    return small.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent parts become white, as they do for the grader."""
    layer = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white
