"""Image files to verified, upright pixels in sRGB.

Training, evaluation, import and serving share this decoder, so a photo has the same pixels in each.
"""

import io
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

import pillow_heif
from PIL import AvifImagePlugin, ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from api.core.errors import ProblemError, TooLargeError, UnprocessableError
from api.core.imaging.code_points import add_named_profile
from api.core.imaging.colour import MAX_PROFILE_BYTES, conversion_of
from api.core.imaging.other_formats import kind_of
from api.core.imaging.repair import end_of_scans, repaired
from api.core.imaging.unwritten import has_unwritten_pixels, without_unwritten

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF", "AVIF")
# Chrome on Windows writes .jfif, and cameras write .hif.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
    *(".png", ".apng", ".webp", ".bmp", ".dib", ".heic", ".heif", ".hif", ".avif"),
)
MAX_PIXELS = 64_000_000
# The number of first bytes that `starts_like_photo` needs.
START_BYTES = 12

# Large images are decoded smaller, or reduced by an integer factor, to save time and memory. By
# default no side gets shorter than this: twice the largest usual input size, so that the final
# resize still averages.
DRAFT_SIDE = 448
STRIP_ROWS = 32
# Limits of `decodes_quickly`: a photo of this size takes about as long as a forward pass.
QUICK_BYTES, QUICK_PIXELS = 256 * 2**10, 2**20
# What libjpeg fills in where a JPEG has no data; CMYK is inverted.
MISSING = (127, 128)

# EXIF orientation to the transposition that makes the image upright.
TRANSPOSITIONS = {
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
# `decode` checks the size itself: Pillow's check depends on process-wide warning filters, which are
# not thread-safe.
Image.MAX_IMAGE_PIXELS = None
# For a profile or text; Pillow refuses an image with a larger one. All texts together: 64 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES
# One thread per photo: several photos are decoded at once.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


class EmptyImageError(ProblemError):
    code = "empty-image"
    detail = "The file is empty. Send the bytes of a photo."


class NotAnImageError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "not-an-image"
    detail = f"The file is not a photo that this service reads. Send one of: {', '.join(FORMATS)}."

    @classmethod
    def of(cls, kind: str) -> Self:
        """`kind`: what the file is, in words with an article."""
        formats = ", ".join(FORMATS)
        return cls(f"The file is {kind}, which this service does not read. Send one of: {formats}.")


class ImageTooLargeError(TooLargeError):
    code = "image-too-large"

    def __init__(self, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"The photo has {width} x {height} pixels; at most {limit / 1e6:.0f} million are "
            "read. Send a smaller copy."
        )


class TruncatedImageError(UnprocessableError):
    code = "truncated-image"
    detail = "The photo is damaged or cut off and cannot be decoded whole. Send the file again."


# What `decode` raises.
UNREADABLE = (EmptyImageError, NotAnImageError, ImageTooLargeError, TruncatedImageError)


@dataclass(frozen=True)
class DecodedImage:
    """`image` is upright sRGB and may be reduced; `width` and `height` are the upright size of the
    file's image. `format` is one of FORMATS.
    """

    image: Image.Image
    width: int
    height: int
    format: str


def decode(
    data: bytes,
    max_pixels: int = MAX_PIXELS,
    full_size: bool = False,
    min_side: int = DRAFT_SIDE,
) -> DecodedImage:
    """Decode `data` completely, apply its EXIF orientation and convert it to sRGB.

    A large image is reduced, no side to less than `min_side`, unless `full_size`. Raises
    EmptyImageError, NotAnImageError, ImageTooLargeError (before any pixel is decoded) or
    TruncatedImageError.
    """
    if not data:
        raise EmptyImageError()
    side = None if full_size else min_side
    data = without_unwritten(data)
    try:
        decoded = _decode(data, max_pixels, side)
    except (NotAnImageError, TruncatedImageError):
        repaired_image = _decode_repaired(data, max_pixels, side)
        if repaired_image is None and (kind := kind_of(data)):
            raise NotAnImageError.of(kind) from None
        if repaired_image is None and starts_like_photo(data[:START_BYTES]):
            raise TruncatedImageError() from None
        if repaired_image is None:
            raise
        decoded = repaired_image
    if has_unwritten_pixels(data):
        raise TruncatedImageError()
    return decoded


def _decode_repaired(data: bytes, max_pixels: int, min_side: int | None) -> DecodedImage | None:
    """None if pixels are missing, or the file is damaged in another way."""
    first = None
    for version in repaired(data):
        try:
            decoded = _decode(version, max_pixels, min_side, may_lack_pixels=False)
        except (NotAnImageError, TruncatedImageError):
            return None
        if first and decoded.image.tobytes() != first.image.tobytes():
            return None
        first = first or decoded
    return first


def _decode(
    data: bytes, max_pixels: int, min_side: int | None, may_lack_pixels: bool = True
) -> DecodedImage:
    """As `decode`; `min_side` None means full size.

    With `may_lack_pixels`, also raises TruncatedImageError where only `repaired` can tell whether
    pixels are missing.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAnImageError() from None
    except Exception as error:  # Pillow's plugins raise all kinds of errors for a bad header.
        raise TruncatedImageError() from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(width, height, max_pixels)
    # Phones write MPO: a JPEG followed by more images, such as a depth map.
    file_format = "JPEG" if image.format == "MPO" else image.format or ""
    try:
        if file_format == "JPEG" and min_side is not None:
            image.draft("RGB", (min_side, min_side))
        add_named_profile(image, data)
        image.load()
        if may_lack_pixels and file_format == "JPEG" and _may_lack_pixels(image, data):
            raise TruncatedImageError()
        orientation = orientation_of(image)
        upright = _to_srgb(image, min_side)
        upright.info.clear()  # Drops the EXIF data, so nobody rotates it again.
        if orientation in TRANSPOSITIONS:
            upright = upright.transpose(TRANSPOSITIONS[orientation])
    except MemoryError:
        raise
    except Exception as error:  # As above, for a bad body.
        raise TruncatedImageError() from error
    if orientation in SIDEWAYS:
        width, height = height, width
    return DecodedImage(upright, width, height, file_format)


def _may_lack_pixels(image: Image.Image, data: bytes) -> bool:
    """Whether a JPEG may be cut off although libjpeg decoded it: Pillow hides libjpeg's warnings.

    True for one that ends in the middle grey of missing pixels, and for a progressive one that
    lacks a scan. The end mark proves nothing: cameras that lose data, and programs that save part
    of a file, write it all the same.
    """
    if "progressive" in image.info and end_of_scans(data) is None:
        return True
    last = image.getpixel((image.width - 1, image.height - 1))
    return all(value in MISSING for value in (last if isinstance(last, tuple) else (last,)))


def starts_like_photo(start: bytes) -> bool:
    """Whether a file with these first bytes may be a photo, whatever its name."""
    return (
        start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"))
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[4:8] == b"ftyp"  # HEIF and AVIF.
    )


def decodes_quickly(data: bytes) -> bool:
    """Whether `decode` usually takes a few milliseconds; reads the header only.

    Only a small JPEG is quick: another format, or a JPEG in many scans, may take seconds however
    short the file is. One that seems to lack pixels is decoded up to six times.
    """
    if len(data) > QUICK_BYTES or not data.startswith(b"\xff\xd8"):
        return False
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
    except Exception:  # As in `_decode`.
        return False
    return image.width * image.height <= QUICK_PIXELS and "progressive" not in image.info


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the EXIF data is missing or broken."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Broken EXIF data does not make an image invalid.
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _to_srgb(image: Image.Image, min_side: int | None) -> Image.Image:
    """8-bit sRGB, reduced by an integer factor if large; `min_side` None means full size."""
    if image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        image = image.convert("RGB")  # Windows programs leave the fourth byte 0.
    conversion = conversion_of(image)
    mode = conversion.mode if conversion else "RGB"
    opaque = _opaque(image, mode) if min_side is None else _small(image, mode, min_side)
    return conversion.apply(opaque) if conversion else opaque


def _small(image: Image.Image, mode: str, min_side: int) -> Image.Image:
    """As `_opaque`, reduced by an integer factor if large.

    Strip by strip: a copy of a large image per step would take too much memory.
    """
    factor = min(image.size) // min_side
    if factor < 2:
        return _opaque(image, mode)
    size = (-(-image.width // factor), -(-image.height // factor))
    small = Image.new(mode, size)
    for top in range(0, size[1], STRIP_ROWS):
        rows = (top * factor, min(image.height, (top + STRIP_ROWS) * factor))
        strip = image.crop((0, rows[0], image.width, rows[1]))
        small.paste(_opaque(strip, mode).reduce(factor), (0, top))
    return small


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """To `mode`: transparency is flattened onto white, 16-bit grey becomes 8-bit."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert(mode)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat.convert(mode)
    return image.convert(mode)
