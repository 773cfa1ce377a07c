"""Metadata is removed, pixels are unchanged."""

import io
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from api.core.imaging.decode import decode
from api.core.imaging.metadata import strip_metadata
from tests.synthetic_images import draw_fruit, draw_quarters, encode

ORIENTATION = 0x0112
SECRET = b"Hidden Valley 7"
FORMATS = ["JPEG", "PNG", "WEBP"]


def private_exif(orientation: int = 1) -> Image.Exif:
    """EXIF data with GPS coordinates and a camera maker."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 7.5)})
    return exif


@cache
def drawn(size: int) -> Image.Image:
    return draw_fruit("freshapples", 3, size)


def assert_same_pixels(data: bytes, stripped: bytes | None) -> None:
    assert stripped is not None
    before, after = decode(data), decode(stripped)
    assert np.array_equal(np.asarray(before.image), np.asarray(after.image))
    assert (before.width, before.height) == (after.width, after.height)
    assert before.format == after.format


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_only_the_orientation_of_exif_is_kept(file_format: str, orientation: int) -> None:
    data = encode(draw_quarters(), file_format, exif=private_exif(orientation))
    assert SECRET in data
    stripped = strip_metadata(data)
    assert_same_pixels(data, stripped)
    assert stripped is not None
    assert SECRET not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        image.load()
        remaining = image.getexif()
        assert dict(remaining) == ({} if orientation == 1 else {ORIENTATION: orientation})
        assert not remaining.get_ifd(0x8825)


@pytest.mark.parametrize(
    ("file_format", "mode", "options"),
    [
        ("JPEG", "RGB", {"quality": 30}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "RGB", {"subsampling": "4:2:0", "restart_marker_blocks": 2}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {"transparency": 1}),
        ("PNG", "LA", {}),
        ("PNG", "1", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"quality": 50}),
        ("WEBP", "RGBA", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("size", [97, 1000])
def test_pixels_of_every_mode_are_unchanged(
    file_format: str, mode: str, options: dict[str, Any], size: int
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = drawn(size).convert(mode)
    if mode != "RGB" or file_format != "PNG":
        options = {**options, "icc_profile": profile}
    data = encode(image, file_format, exif=private_exif(3), **options)
    stripped = strip_metadata(data)
    assert_same_pixels(data, stripped)
    assert stripped is not None
    assert profile not in stripped
    assert SECRET not in stripped


def test_rgb_jpeg_keeps_its_colours() -> None:
    """Only the Adobe segment marks the components as RGB."""
    data = bytearray(encode(draw_quarters(), "JPEG", keep_rgb=True))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    for number in range(3):
        data[frame + 10 + 3 * number] = data[scan + 5 + 2 * number] = number + 1
    assert np.abs(np.asarray(decode(bytes(data)).image, int)[4, 4] - (255, 0, 0)).max() < 6
    assert_same_pixels(bytes(data), strip_metadata(bytes(data)))


def test_comments_and_text_are_removed() -> None:
    text_chunks = PngImagePlugin.PngInfo()
    text_chunks.add_text("Author", SECRET.decode())
    text_chunks.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    image = draw_quarters()
    for data in (
        encode(image, "JPEG", comment=SECRET),
        encode(image, "JPEG", xmp=SECRET),
        encode(image, "WEBP", xmp=SECRET),
        encode(image, "PNG", pnginfo=text_chunks),
    ):
        assert SECRET in data
        stripped = strip_metadata(data)
        assert_same_pixels(data, stripped)
        assert SECRET not in (stripped or b"")


def test_orientation_from_xmp_is_kept() -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    text_chunks = PngImagePlugin.PngInfo()
    text_chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    for data in (
        encode(draw_quarters(), "JPEG", xmp=xmp),
        encode(draw_quarters(), "WEBP", xmp=xmp),
        encode(draw_quarters(), "PNG", pnginfo=text_chunks),
    ):
        assert decode(data).width == 64
        assert_same_pixels(data, strip_metadata(data))


@pytest.mark.parametrize("file_format", FORMATS)
def test_trailing_data_is_removed(file_format: str) -> None:
    """Phones append a video to the image."""
    data = encode(draw_quarters(), file_format)
    stripped = strip_metadata(data + SECRET)
    assert_same_pixels(data, stripped)
    assert stripped is not None
    assert SECRET not in stripped


def test_further_images_are_removed() -> None:
    others = [draw_fruit("freshbanana")]
    data = encode(draw_quarters(), "MPO", save_all=True, append_images=others, exif=private_exif(6))
    stripped = strip_metadata(data)
    assert_same_pixels(data, stripped)
    assert stripped is not None
    assert stripped.count(b"\xff\xd8\xff") == 1


def test_thumbnails_are_removed() -> None:
    small = b"\x02\x02" + SECRET[:12]
    jfif = b"JFIF\0\1\1\0\0\1\0\1" + small
    data = encode(draw_quarters(), "JPEG")
    head = b"\xff\xe0" + struct.pack(">H", len(jfif) + 2) + jfif
    data = data[:2] + head + data[20:]
    stripped = strip_metadata(data)
    assert_same_pixels(data, stripped)
    assert SECRET[:12] not in (stripped or b"")


@pytest.mark.parametrize("file_format", FORMATS)
def test_file_without_metadata_is_unchanged(file_format: str) -> None:
    data = encode(draw_quarters(), file_format)
    assert strip_metadata(data) == data


@pytest.mark.parametrize("file_format", FORMATS)
def test_truncated_file_is_not_repaired(file_format: str) -> None:
    """Not even the missing end marker is added."""
    data = encode(draw_fruit("freshapples"), file_format, exif=private_exif(6))
    whole = np.asarray(decode(data).image)
    for length in range(0, len(data), max(1, len(data) // 150)):
        stripped = strip_metadata(data[:length])
        if stripped is not None:
            assert np.array_equal(np.asarray(decode(stripped).image), whole)


@pytest.mark.parametrize("file_format", FORMATS)
def test_damaged_file_raises_no_exception(file_format: str) -> None:
    data = encode(draw_fruit("rottenbanana"), file_format, exif=private_exif(6))
    random = np.random.default_rng(7)
    for _ in range(200):
        damaged = bytearray(data)
        for place in random.integers(0, min(len(data), 400), 4):
            damaged[place] = random.integers(256)
        strip_metadata(bytes(damaged))


def test_unsupported_formats_return_none() -> None:
    still, next_one = draw_fruit("freshapples"), draw_fruit("freshbanana")
    moving = {"save_all": True, "append_images": [next_one]}
    for data in (
        b"",
        b"words",
        encode(draw_quarters(), "BMP"),
        encode(draw_quarters(), "HEIF"),
        encode(still, "PNG", **moving),
        encode(still, "WEBP", **moving),
    ):
        assert strip_metadata(data) is None
