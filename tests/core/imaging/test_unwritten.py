"""A copy that stopped early in a file of full length is refused; a whole photo that ends in zeros
is not.
"""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from api.core.imaging.decode import TruncatedImageError, decode
from tests.synthetic_images import draw_fruit, encode

SIDE = 210
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "WebP": ("WEBP", "RGB", {}),
    "lossless WebP": ("WEBP", "RGB", {"lossless": True}),
    "WebP with texts": ("WEBP", "RGB", {"exif": b"Exif\0\0" + b"x" * 40, "xmp": b"y" * 40}),
    "transparent WebP": ("WEBP", "RGBA", {}),
    "HEIC": ("HEIF", "RGB", {}),
    "AVIF": ("AVIF", "RGB", {}),
    "BMP": ("BMP", "RGB", {}),
    "PNG": ("PNG", "RGB", {}),
    "JPEG": ("JPEG", "RGB", {}),
}


def grained(mode: str = "RGB") -> Image.Image:
    """A fruit with sensor noise, nowhere black."""
    grain = np.random.default_rng(3).integers(-30, 31, (SIDE, SIDE, 3))
    fruit = np.asarray(draw_fruit("freshapples", 3, SIDE), dtype=int)
    return Image.fromarray(np.clip(fruit + grain, 1, 255).astype(np.uint8)).convert(mode)


def unwritten(whole: bytes, length: int) -> bytes:
    return whole[:length] + bytes(len(whole) - length)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_pixels_are_found_behind_zeros(kind: str) -> None:
    file_format, mode, options = KINDS[kind]
    whole = encode(grained(mode), file_format, **options)
    # The BMP ends within a row here; a black edge would begin at the start of a row.
    for length in (len(whole) // 2, len(whole) * 2 // 3, len(whole) - 2000):
        for full_size in (False, True):
            with pytest.raises(TruncatedImageError):
                decode(unwritten(whole, length), full_size=full_size)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_photos_of_one_colour_are_taken(kind: str) -> None:
    """Both unchanged and followed by zeros."""
    file_format, mode, options = KINDS[kind]
    for colour in ("black", "white", (200, 60, 50)):
        plain = Image.new("RGB", (600, 800), colour)
        with_fruit = plain.copy()
        ImageDraw.Draw(with_fruit).ellipse((150, 90, 450, 390), fill=(90, 200, 40))
        with_edges = plain.copy()
        with_edges.paste(grained(), (0, 200))
        for image in (plain, with_fruit, with_edges):
            data = encode(image.convert(mode), file_format, **options)
            for after in (0, 5000):
                assert decode(data + bytes(after)).width == 600, after


def test_black_edges_of_a_bmp_are_not_missing_pixels() -> None:
    photo = grained().resize((500, 500))
    for mode in ("RGB", "RGBA"):
        letterbox = photo.convert(mode)
        letterbox.paste("black", (0, 0, 500, 60))
        dark_corner = letterbox.copy()
        dark_corner.paste("black", (400, 60, 500, 120))
        for image in (letterbox, dark_corner):
            assert decode(encode(image, "BMP")).width == 500


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_texts_that_end_in_zeros_are_not_missing_pixels(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description" + "\0" * 64
    data = encode(grained(), file_format, exif=exif.tobytes() + bytes(64))
    assert decode(data + bytes(64)).width == SIDE
