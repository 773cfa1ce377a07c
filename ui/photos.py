"""A photo chosen by a person, and smaller images of it for the browser."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

from named_colours import in_srgb, named_colours
from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageOps, PngImagePlugin

READABLE = [
    *("jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp", "mpo"),
    *("png", "apng", "webp", "bmp", "dib", "heic", "heif", "hif", "avif"),
]
_SHOWN = ["JPEG", "PNG", "WEBP", "BMP", "AVIF"]
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# As in the API: Pillow refuses a photo with a longer text chunk or profile.
PngImagePlugin.MAX_TEXT_CHUNK = 4 * 2**20
_LONGEST_SIDE = 800
_THUMBNAIL_SIDE = 96
# Fruits are cropped from a photo of the first size, and shown in squares of the second.
_DETAIL_SIDE, _CROP_SIDE = 2400, 360
# Margin around a fruit's box, as a share of the box.
_CROP_MARGIN = 0.08
# Left, top, right and bottom, in shares of the photo's width and height.
RelativeBox = tuple[float, float, float, float]
# Behind the lines and letters that are drawn on a photo.
_DARK = "#10140f"
# The API rejects larger images; this process never decodes them.
_MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class Photo:
    """A file's bytes, with the file name that the person knows. `is_sample` marks a drawn photo for
    trying the app, which is neither recorded nor learned from.
    """

    name: str
    data: bytes = field(repr=False)
    is_sample: bool = False


class DrawnBox(NamedTuple):
    """A box to draw on a photo, with a short, possibly empty text at its corner."""

    box: RelativeBox
    colour: str
    text: str


def with_boxes(data: bytes, boxes: Sequence[DrawnBox]) -> bytes:
    """A JPEG from the API with boxes drawn on it."""
    with Image.open(BytesIO(data), formats=["JPEG"]) as file:
        image = file.convert("RGB")
    draw = ImageDraw.Draw(image)
    width, height = image.size
    # Still readable when a phone shows the photo at a third of its size.
    line = max(2, round(max(image.size) / 200))
    font = ImageFont.load_default(size=max(12, round(max(image.size) / 24)))
    for (left, top, right, bottom), colour, text in boxes:
        x, y = left * width, top * height
        # At least a pixel, and within the photo.
        corners = (x, y, max(x, right * width - 1), max(y, bottom * height - 1))
        for colour_of_line, thickness in ((_DARK, line + 2), (colour, line)):
            draw.rectangle(corners, outline=colour_of_line, width=thickness)
        if text:
            place = (corners[0] + line + 2, corners[1] + line)
            ground = draw.textbbox(place, text, font=font)
            draw.rectangle(
                (ground[0] - 3, ground[1] - 2, ground[2] + 3, ground[3] + 2), fill=colour
            )
            draw.text(place, text, fill=_DARK, font=font)
    return _as_jpeg(image, quality=88)


def preview(data: bytes) -> bytes | None:
    """A small upright JPEG, or None if the photo cannot be shown. HEIC cannot: most browsers and
    plain Pillow do not read it.
    """
    return _shrink(data, _LONGEST_SIDE, quality=85)


def thumbnail(data: bytes) -> str | None:
    """A thumbnail as a data URI of a few kilobytes, or None."""
    small = _shrink(data, _THUMBNAIL_SIDE, quality=70)
    return f"data:image/jpeg;base64,{b64encode(small).decode()}" if small else None


def crops(data: bytes, boxes: Sequence[RelativeBox]) -> list[bytes]:
    """A square JPEG around each box of the upright photo; none if it cannot be shown."""
    photo = _open_small(data, _DETAIL_SIDE)
    if photo is None:
        return []
    return [_as_jpeg(_square_around(photo, box), quality=85) for box in boxes]


def _square_around(photo: Image.Image, box: RelativeBox) -> Image.Image:
    """A square around the box with some margin, moved to lie within the photo."""
    width, height = photo.size
    left, right = box[0] * width, box[2] * width
    top, bottom = box[1] * height, box[3] * height
    longest = max(right - left, bottom - top) * (1 + 2 * _CROP_MARGIN)
    side = max(1, round(min(longest, width, height)))
    x = round(min(max(0, (left + right - side) / 2), width - side))
    y = round(min(max(0, (top + bottom - side) / 2), height - side))
    crop = photo.crop((x, y, x + side, y + side))
    crop.thumbnail((_CROP_SIDE, _CROP_SIDE))
    return crop


def _shrink(data: bytes, longest_side: int, *, quality: int) -> bytes | None:
    small = _open_small(data, longest_side)
    return None if small is None else _as_jpeg(small, quality=quality)


def _as_jpeg(image: Image.Image, *, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _open_small(data: bytes, longest_side: int) -> Image.Image | None:
    """The upright photo in sRGB, or None if it cannot be shown."""
    try:
        with Image.open(BytesIO(data), formats=_SHOWN) as file:
            if file.width * file.height > _MAX_PIXELS:
                return None
            named = named_colours(file, data)
            image = _without_false_transparency(file)
            image.thumbnail((longest_side, longest_side))
            upright = _on_white(_as_8_bit(ImageOps.exif_transpose(image)))
            if named:
                return in_srgb(upright, named)
            return _to_srgb(upright, image.info.get("icc_profile"))
    except Exception:  # a damaged file makes Pillow's readers raise errors of any kind
        return None


def _without_false_transparency(image: Image.Image) -> Image.Image:
    """Drop a BMP's alpha if it is all 0: Windows programs leave the fourth byte of a pixel at 0."""
    if image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        return image.convert("RGB")
    return image


def _as_8_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey, which would otherwise be clipped at 255 and show as white."""
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
    """The image in sRGB, which browsers assume without a profile."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(image, BytesIO(profile), _SRGB, outputMode="RGB")
        except Exception:  # a broken profile, or one of other colours: viewers ignore it too
            converted = None
        if converted:
            return converted
    return image.convert("RGB")
