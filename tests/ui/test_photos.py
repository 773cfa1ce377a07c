"""The preview of a photo: small, upright, or none."""

from io import BytesIO

import pytest
from photos import preview
from PIL import Image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_large_photo_is_scaled_down() -> None:
    small = preview(saved(Image.new("RGB", (2000, 1000), "red"), "JPEG"))

    assert small is not None
    assert Image.open(BytesIO(small)).size == (800, 400)


def test_rotated_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    upright = preview(saved(Image.new("RGB", (1600, 800), "red"), "JPEG", exif=exif))

    assert upright is not None
    assert Image.open(BytesIO(upright)).size == (400, 800)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("BMP", "L")])
def test_every_colour_mode_has_a_preview(kind: str, mode: str) -> None:
    assert preview(saved(Image.new(mode, (8, 8)), kind)) is not None


def test_unreadable_or_unsupported_file_has_no_preview(photo: bytes) -> None:
    assert preview(b"") is None
    assert preview(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00") is None
    assert preview(photo[: len(photo) // 2]) is None
    assert preview(saved(Image.new("P", (8, 8)), "GIF")) is None


def test_huge_image_is_not_decoded() -> None:
    assert preview(saved(Image.new("1", (8001, 8000)), "PNG")) is None
