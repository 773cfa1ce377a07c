"""What is kept of a photograph."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from api.core.imaging.decode import decode
from api.core.imaging.stored_image import KEPT_SIDE, encode_stored_image, select_stored_image
from tests.drawing import draw_fruit, encode

LARGE = Image.new("RGB", (3000, 1200), "red")


def test_a_kept_photograph_is_a_small_jpeg_without_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    data = encode(LARGE, "JPEG", exif=exif)
    kept = encode_stored_image(select_stored_image(data, decode(data)))
    image = Image.open(io.BytesIO(kept))
    assert image.format == "JPEG"
    assert max(image.size) <= KEPT_SIDE
    assert not image.getexif()
    assert b"Secret" not in kept


def test_a_small_photograph_keeps_its_size_and_is_not_changed() -> None:
    image = draw_fruit("freshapples", size=96)
    before = image.tobytes()
    assert Image.open(io.BytesIO(encode_stored_image(image))).size == (96, 96)
    assert image.tobytes() == before


def test_a_small_jpeg_is_kept_as_it_came_but_for_its_metadata() -> None:
    """Encoding it again would take longer than all else that is recorded, and lose detail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Secret Camera"
    exif[ExifTags.Base.Orientation] = 6
    data = encode(draw_fruit("freshapples"), "JPEG", exif=exif)
    photograph = decode(data)
    chosen = select_stored_image(data, photograph)
    assert chosen is data
    kept = encode_stored_image(chosen)
    assert b"Secret" not in kept
    assert np.array_equal(np.asarray(decode(kept).image), np.asarray(photograph.image))


def test_other_files_are_encoded() -> None:
    for data in (encode(draw_fruit("freshapples"), "PNG"), encode(LARGE, "JPEG")):
        chosen = select_stored_image(data, decode(data))
        assert isinstance(chosen, Image.Image)
        assert encode_stored_image(chosen).startswith(b"\xff\xd8")


def test_a_jpeg_that_cannot_be_taken_apart_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.core.imaging.stored_image.strip_metadata", lambda _data: None)
    data = encode(draw_fruit("freshapples"), "JPEG", comment=b"Secret")
    kept = encode_stored_image(data)
    assert decode(kept).image.size == (96, 96)
    assert b"Secret" not in kept
