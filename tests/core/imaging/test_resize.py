"""The network's input, thumbnails and stored images."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from api.core.imaging.decode import decode
from api.core.imaging.resize import (
    STORED_SIDE,
    encode_stored_image,
    select_stored_image,
    thumbnail,
    to_input,
)
from tests.synthetic_images import draw_fruit, draw_quarters, encode

LARGE = Image.new("RGB", (3000, 1200), "red")


@pytest.mark.parametrize("size", [96, 160, 224])
@pytest.mark.parametrize("shape", [(640, 200), (150, 610), (90, 90), (3, 5)])
def test_input_is_a_uint8_square(size: int, shape: tuple[int, int]) -> None:
    pixels = to_input(draw_quarters(*shape), size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("shape", [(640, 200), (150, 610), (500, 500)])
def test_input_shows_the_whole_image(shape: tuple[int, int]) -> None:
    pixels = to_input(draw_quarters(*shape), 100).astype(int)
    for rows, columns, colour in [
        (slice(0, 48), slice(0, 48), (255, 0, 0)),
        (slice(0, 48), slice(52, 100), (0, 255, 0)),
        (slice(52, 100), slice(0, 48), (0, 0, 255)),
        (slice(52, 100), slice(52, 100), (255, 255, 255)),
    ]:
        assert np.abs(pixels[rows, columns] - colour).max() <= 2


def test_downscaling_averages_pixels() -> None:
    """Lines one pixel wide become uniform grey, not stripes."""
    lines = draw_quarters(512, 512).convert("L")
    lines.putdata([255 * (place % 2) for place in range(512 * 512)])
    pixels = to_input(lines.convert("RGB"), 64)
    assert np.abs(pixels.astype(int) - 127).max() <= 3


def open_jpeg(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image


@pytest.mark.parametrize(
    ("size", "shown"),
    [(64, (64, 48)), (448, (448, 336)), (1024, (1024, 768)), (5000, (2000, 1500))],
)
def test_thumbnail_is_at_most_the_requested_size(size: int, shown: tuple[int, int]) -> None:
    assert open_jpeg(thumbnail(encode(draw_quarters(2000, 1500), "JPEG"), size)).size == shown


def test_thumbnail_is_upright_without_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = open_jpeg(thumbnail(encode(draw_quarters(), "JPEG", exif=exif), 64))
    assert upright.size == (43, 64)
    assert not upright.getexif()
    assert np.abs(np.asarray(upright, int)[2, 2] - (0, 0, 255)).max() < 20


def test_stored_image_is_a_small_jpeg_without_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    data = encode(LARGE, "JPEG", exif=exif)
    stored = encode_stored_image(select_stored_image(data, decode(data)))
    image = Image.open(io.BytesIO(stored))
    assert image.format == "JPEG"
    assert max(image.size) <= STORED_SIDE
    assert not image.getexif()
    assert b"Secret" not in stored


def test_small_image_keeps_its_size_and_is_not_modified() -> None:
    image = draw_fruit("freshapples", size=96)
    before = image.tobytes()
    assert Image.open(io.BytesIO(encode_stored_image(image))).size == (96, 96)
    assert image.tobytes() == before


def test_small_jpeg_only_loses_its_metadata() -> None:
    """Encoding it again would be slow and lose detail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    exif[ExifTags.Base.Orientation] = 6
    data = encode(draw_fruit("freshapples"), "JPEG", exif=exif)
    decoded = decode(data)
    selected = select_stored_image(data, decoded)
    assert selected is data
    stored = encode_stored_image(selected)
    assert b"Secret" not in stored
    assert np.array_equal(np.asarray(decode(stored).image), np.asarray(decoded.image))


def test_other_formats_and_large_images_are_encoded() -> None:
    for data in (encode(draw_fruit("freshapples"), "PNG"), encode(LARGE, "JPEG")):
        selected = select_stored_image(data, decode(data))
        assert isinstance(selected, Image.Image)
        assert encode_stored_image(selected).startswith(b"\xff\xd8")


def test_malformed_jpeg_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.core.imaging.resize.strip_metadata", lambda _data: None)
    data = encode(draw_fruit("freshapples"), "JPEG", comment=b"Secret")
    stored = encode_stored_image(data)
    assert decode(stored).image.size == (96, 96)
    assert b"Secret" not in stored
