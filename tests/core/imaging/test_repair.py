"""A photo is accepted if all its pixels are there, whatever else its file contains or lacks."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.catalog.sanitize import sanitize
from api.core.errors import ProblemError
from api.core.imaging.decode import TruncatedImageError, decode
from tests.colour_profiles import SPACES, rgb_profile
from tests.synthetic_images import draw_fruit, encode

ORIENTATION = 0x0112
LONG = zlib.compress(b"history " * 1_000_000)
TEXTS = {
    "iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
    "zTXt": (b"zTXt", b"prompt\0\0" + LONG),
    "tEXt": (b"tEXt", b"prompt\0" + b"a" * 5_000_000),
    "no zlib": (b"zTXt", b"prompt\0\0 not packed at all"),
    "profile": (b"iCCP", b"profile\0\0" + LONG),
    "no profile": (b"iCCP", b"profile\0\0 not packed at all"),
    "time": (b"tIME", b"\0"),
    "size": (b"pHYs", b"\0"),
    "colours": (b"cHRM", b"\0\0"),
    "private": (b"prVt", b"x" * 100_000),
}
JPEGS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 2},
    {"subsampling": "4:4:4", "quality": 97},
]


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(decode(data).image)


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def drawn(mode: str = "RGB") -> Image.Image:
    return draw_fruit("freshapples", 2, 150).convert(mode)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("place", ["before the pixels", "after the pixels"])
def test_png_with_anything_beside_its_pixels(kind: str, place: str) -> None:
    png = encode(drawn(), "PNG")
    at = 33 if place == "before the pixels" else len(png) - 12
    data = png[:at] + chunk(*TEXTS[kind]) + png[at:]
    assert np.array_equal(pixels(data), pixels(png))
    stored = sanitize(data)
    assert np.array_equal(pixels(stored.data), pixels(png))
    assert len(stored.data) < len(png) + 2000


def test_png_with_many_long_texts() -> None:
    png = encode(drawn(), "PNG")
    data = png[:33] + chunk(*TEXTS["zTXt"]) * 20 + png[33:]
    assert np.array_equal(pixels(data), pixels(png))


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1"])
def test_long_text_leaves_palette_and_transparency(mode: str) -> None:
    image = drawn(mode)
    png = encode(image, "PNG", **({"transparency": 0} if mode == "P" else {}))
    data = png[:33] + chunk(*TEXTS["zTXt"]) + png[33:]
    assert np.array_equal(pixels(data), pixels(png))


def test_long_text_leaves_orientation_and_colours() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = rgb_profile(SPACES["ProPhoto"])
    png = encode(draw_fruit("freshapples").resize((90, 60)), "PNG", exif=exif, icc_profile=profile)
    data = png[:33] + chunk(*TEXTS["zTXt"]) + png[33:]
    assert decode(data).width == 60
    assert np.array_equal(pixels(data), pixels(png))


def test_chunk_with_a_wrong_checksum_beside_the_pixels() -> None:
    png = encode(drawn(), "PNG")
    for name, body in ((b"tEXt", b"a\0b"), (b"eXIf", b"II*\0"), (b"iCCP", b"a\0\0" + LONG)):
        data = png[:33] + chunk(name, body, checksum=7) + png[33:]
        assert np.array_equal(pixels(data), pixels(png))


def test_png_without_its_end_or_cut_in_a_text_after_the_pixels() -> None:
    png = encode(drawn(), "PNG")
    for data in (png[:-12], png[:-4], png[:-12] + chunk(b"tEXt", b"a" * 500)[:200]):
        assert np.array_equal(pixels(data), pixels(png))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", JPEGS)
def test_jpeg_without_its_end_mark(mode: str, options: dict[str, Any]) -> None:
    whole = encode(drawn(mode), "JPEG", **options)
    for data in (whole[:-1], whole[:-2], whole[:-2] + b"\n", whole[:-2] + bytes(600)):
        assert np.array_equal(pixels(data), pixels(whole))
        assert np.array_equal(np.asarray(decode(data, full_size=True).image), pixels(whole))
        sanitize(data)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", JPEGS)
def test_jpeg_is_refused_as_soon_as_a_pixel_is_missing(mode: str, options: dict[str, Any]) -> None:
    whole = encode(draw_fruit("freshapples", 4, 97).convert(mode), "JPEG", **options)
    for length in range(1, len(whole) - 2, 3):
        with pytest.raises(ProblemError):
            decode(whole[:length])
    with pytest.raises(TruncatedImageError):
        decode(whole[:-3])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", JPEGS)
def test_end_mark_and_zeros_hide_no_missing_pixel(mode: str, options: dict[str, Any]) -> None:
    """As from cameras that lose data, and copies that stopped early in a file of full length."""
    whole = encode(draw_fruit("freshapples", 4, 500).convert(mode), "JPEG", **options)
    progressive = "progressive" in options
    # The last scans of a progressive file only add detail.
    for share in (0.1, 0.3) if progressive else (0.1, 0.5, 0.9, 0.98):
        cut = whole[: int(len(whole) * share)]
        for data in (cut + b"\xff\xd9", cut + b"\xff\xd9motion photo", cut + bytes(len(whole))):
            with pytest.raises(TruncatedImageError):
                decode(data)
            with pytest.raises(TruncatedImageError):
                decode(data, full_size=True)
            with pytest.raises(TruncatedImageError):
                sanitize(data)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", JPEGS)
def test_grey_at_the_end_of_a_photo_is_not_missing_pixels(
    mode: str, options: dict[str, Any]
) -> None:
    greys: dict[str, tuple[int, ...]] = {"RGB": (128,) * 3, "L": (128,), "CMYK": (127,) * 4}
    for size in ((500, 500), (1, 1), (17, 9)):
        plain = Image.new(mode, size, greys[mode])
        with_fruit = plain.copy()
        with_fruit.paste(drawn(mode).resize((8, 8)))
        for image in (plain, with_fruit):
            whole = encode(image, "JPEG", **options)
            for data in (whole, whole[:-2], whole + bytes(500), whole + b"\xff\xd9" * 3):
                assert decode(data).width == size[0]


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_cut_after_its_pixels(mode: str, options: dict[str, Any]) -> None:
    image = drawn(mode)
    plain = pixels(encode(image, "WEBP", **options))
    described = encode(image, "WEBP", exif=b"Exif\0\0" + b"x" * 300, xmp=b"y" * 300, **options)
    for end in (1, 200, 500):
        assert np.array_equal(pixels(described[:-end]), plain)
    length_too_long = described[:4] + struct.pack("<I", len(described) + 5) + described[8:]
    assert np.array_equal(pixels(length_too_long), plain)
    with pytest.raises(TruncatedImageError):
        decode(described[:-700])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("before", [b"\r\n", b"\xef\xbb\xbf", b" \n\n", bytes(8)])
def test_bytes_before_and_after_the_file(file_format: str, before: bytes) -> None:
    whole = encode(drawn(), file_format)
    for data in (before + whole, whole + b"\r\n", whole + bytes(5000), whole + b"<html>" * 100):
        assert np.array_equal(pixels(data), pixels(whole))


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
def test_bytes_after_a_photo_of_a_phone(file_format: str) -> None:
    whole = encode(drawn(), file_format)
    assert np.array_equal(pixels(whole + b"motion photo" * 100), pixels(whole))
