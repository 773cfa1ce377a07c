"""Bytes of a photograph to verified, upright RGB pixels.

The one decoder of the project: training, evaluation, import and serving all call it, so that the
same photograph gives the same pixels everywhere.
"""

import io
from dataclasses import dataclass

import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from api.core.errors import (
    EmptyImageError,
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF")
EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".heic", ".heif")
MAX_PIXELS = 64_000_000

# Large pictures are decoded or shrunk by a whole factor for less work and memory; no side goes
# below this. Twice the largest usual input size, so that the resize that follows still averages.
DRAFT_SIDE = 448
STRIP_ROWS = 32

# What turns a picture of each EXIF orientation upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)

pillow_heif.register_heif_opener()
# `decode` compares the size in the header with MAX_PIXELS itself, with an error of its own;
# Pillow's guard warns by a process-wide switch, which threads cannot use.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph.

    `image` is upright RGB, possibly smaller than the file says; `width` and `height` are upright
    too, in the file's own pixels.
    """

    image: Image.Image
    width: int
    height: int
    format: str


def decode(data: bytes, max_pixels: int = MAX_PIXELS, full_size: bool = False) -> Photograph:
    """Decode `data` whole, turn it upright by its EXIF tag and make it RGB.

    With `full_size` the image has the file's own size, however large. Raises EmptyImageError,
    NotAnImageError, ImageTooLargeError (before any pixel is decoded) or TruncatedImageError, each
    with a message for the person who sent the file.
    """
    if not data:
        raise EmptyImageError()
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAnImageError(FORMATS) from None
    except Exception as error:  # Pillow's plugins raise whatever a broken header leads them to.
        raise TruncatedImageError() from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(width, height, max_pixels)
    # Phones write MPO: a JPEG with further pictures, such as depth, behind the first.
    file_format = "JPEG" if image.format == "MPO" else image.format or ""
    try:
        if file_format == "JPEG" and not full_size:
            image.draft("RGB", (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        orientation = orientation_of(image)
        upright = _rgb(image) if full_size else _small_rgb(image)
        upright.info.clear()  # The EXIF data would have it turned again.
        if orientation in TURNS:
            upright = upright.transpose(TURNS[orientation])
    except MemoryError:
        raise
    except Exception as error:  # As above: a broken body shows itself in many ways.
        raise TruncatedImageError() from error
    if orientation in SIDEWAYS:
        width, height = height, width
    return Photograph(upright, width, height, file_format)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the EXIF data is missing or broken."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Broken EXIF data is no reason to refuse a picture that is whole.
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _small_rgb(image: Image.Image) -> Image.Image:
    """RGB, shrunk by a whole factor where the picture is large.

    Strip by strip, so that a large picture takes memory once and not once more for each step.
    """
    factor = min(image.size) // DRAFT_SIDE
    if factor < 2:
        return _rgb(image)
    size = (-(-image.width // factor), -(-image.height // factor))
    small = Image.new("RGB", size)
    for top in range(0, size[1], STRIP_ROWS):
        rows = (top * factor, min(image.height, (top + STRIP_ROWS) * factor))
        strip = image.crop((0, rows[0], image.width, rows[1]))
        small.paste(_rgb(strip).reduce(factor), (0, top))
    return small


def _rgb(image: Image.Image) -> Image.Image:
    """Flatten transparency onto white and bring 16-bit greys down to 8."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return image.convert("RGB")
