"""A photo that a person chose, and smaller images of it for the browser."""

from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, PngImagePlugin

READABLE = [
    *("jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp", "mpo"),
    *("png", "apng", "webp", "bmp", "dib", "heic", "heif", "hif", "avif"),
]
_SHOWN = ["JPEG", "PNG", "WEBP", "BMP", "AVIF"]
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# As in the API: Pillow refuses a photo with a longer text or profile.
PngImagePlugin.MAX_TEXT_CHUNK = 4 * 2**20
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
            upright = _on_white(_as_8_bit(ImageOps.exif_transpose(image)))
            shown = _to_srgb(upright, image.info.get("icc_profile"))
    except Exception:  # a damaged file makes Pillow's readers raise errors of any kind
        return None
    small = BytesIO()
    shown.save(small, "JPEG", quality=quality)
    return small.getvalue()


def _as_8_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 bits would be cut off at 255, and show as white."""
    if not image.mode.startswith("I"):
        return image
    return image.point(lambda value: value / 256).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent parts become white, as they do for the grader."""
    if image.mode in ("RGB", "L", "CMYK"):
        return image
    layer = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours that browsers show without a profile."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(image, BytesIO(profile), _SRGB, outputMode="RGB")
        except Exception:  # a broken profile, or one of other colours: viewers ignore it too
            converted = None
        if converted:
            return converted
    return image.convert("RGB")
