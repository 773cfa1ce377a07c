"""The image that is stored for an uploaded photo."""

import numpy as np
import pytest
from PIL import Image

from api.catalog.sanitize import sanitize
from api.core.errors import ProblemError
from api.core.imaging.decode import (
    ImageTooLargeError,
    NotAnImageError,
    TruncatedImageError,
    decode,
)
from api.core.imaging.hashing import perceptual_hash
from tests.catalog.photographs import phone_jpeg, photo
from tests.synthetic_images import draw_fruit, draw_quarters, encode


@pytest.mark.parametrize(
    ("file_format", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("BMP", ".png")],
)
@pytest.mark.parametrize("size", [96, 1000])
def test_stored_image_has_the_same_pixels(file_format: str, suffix: str, size: int) -> None:
    data = encode(draw_fruit("freshoranges", 2, size), file_format)
    sanitized = sanitize(data)
    assert sanitized.suffix == suffix
    original = decode(data).image
    assert np.array_equal(np.asarray(decode(sanitized.data).image), np.asarray(original))
    assert np.array_equal(sanitized.signature, perceptual_hash(original))
    assert (sanitized.width, sanitized.height) == (size, size)


def test_rotated_phone_photo_is_stored_upright() -> None:
    data = phone_jpeg(1)
    sanitized = sanitize(data)
    assert (sanitized.width, sanitized.height) == (80, 96)
    original, stored = decode(data).image, decode(sanitized.data).image
    assert np.array_equal(np.asarray(original), np.asarray(stored))


def test_heic_becomes_an_upright_jpeg_of_the_same_size() -> None:
    image = draw_quarters(1200, 1000)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    data = encode(image, "HEIF")
    sanitized = sanitize(data)
    assert sanitized.suffix == ".jpg"
    assert (sanitized.width, sanitized.height) == (1000, 1200)
    original, stored = decode(data).image, decode(sanitized.data).image
    assert stored.size[0] >= 448
    small = (50, 60)
    difference = np.asarray(original.resize(small), int) - np.asarray(stored.resize(small), int)
    assert np.abs(difference).mean() < 2


def test_animation_becomes_its_first_frame() -> None:
    still, next_one = draw_fruit("freshapples"), draw_fruit("freshbanana")
    for file_format in ("PNG", "WEBP"):
        data = encode(still, file_format, save_all=True, append_images=[next_one])
        sanitized = sanitize(data)
        assert sanitized.suffix == ".png"
        original, stored = decode(data).image, decode(sanitized.data).image
        assert np.array_equal(np.asarray(original), np.asarray(stored))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"words", NotAnImageError),
        (photo(1)[:-400], TruncatedImageError),
        (phone_jpeg(1)[:-400], TruncatedImageError),
        (photo(1, "PNG")[:-400], TruncatedImageError),
        (photo(1, "WEBP")[:-400], TruncatedImageError),
        (encode(draw_quarters(120, 100), "PNG"), ImageTooLargeError),
    ],
)
def test_undecodable_image_is_rejected(data: bytes, error: type[ProblemError]) -> None:
    with pytest.raises(error):
        sanitize(data, max_pixels=96 * 96)
