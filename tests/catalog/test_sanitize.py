"""What is stored of a photograph."""

import numpy as np
import pytest
from PIL import Image

from api.catalog.sanitize import prepare
from api.core.errors import ImageTooLargeError, NotAnImageError, ProblemError, TruncatedImageError
from api.core.imaging.decode import decode
from api.core.imaging.hashing import perceptual_hash
from tests.catalog.photographs import photograph, telephone_jpeg
from tests.drawing import draw_fruit, draw_quarters, encode


@pytest.mark.parametrize(
    ("file_format", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("BMP", ".png")],
)
@pytest.mark.parametrize("size", [96, 1000])
def test_it_decodes_to_the_same_pixels(file_format: str, suffix: str, size: int) -> None:
    data = encode(draw_fruit("freshoranges", 2, size), file_format)
    prepared = prepare(data)
    assert prepared.suffix == suffix
    seen = decode(data).image
    assert np.array_equal(np.asarray(decode(prepared.data).image), np.asarray(seen))
    assert np.array_equal(prepared.signature, perceptual_hash(seen))
    assert (prepared.width, prepared.height) == (size, size)


def test_a_picture_taken_upright_on_a_telephone() -> None:
    data = telephone_jpeg(1)
    prepared = prepare(data)
    assert (prepared.width, prepared.height) == (80, 96)
    seen, stored = decode(data).image, decode(prepared.data).image
    assert np.array_equal(np.asarray(seen), np.asarray(stored))


def test_heic_becomes_an_upright_jpeg_in_its_own_size() -> None:
    image = draw_quarters(1200, 1000)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    data = encode(image, "HEIF")
    prepared = prepare(data)
    assert prepared.suffix == ".jpg"
    assert (prepared.width, prepared.height) == (1000, 1200)
    seen, stored = decode(data).image, decode(prepared.data).image
    assert stored.size[0] >= 448
    small = (50, 60)
    step = np.asarray(seen.resize(small), int) - np.asarray(stored.resize(small), int)
    assert np.abs(step).mean() < 2


def test_a_moving_picture_becomes_its_first_frame() -> None:
    still, next_one = draw_fruit("freshapples"), draw_fruit("freshbanana")
    for file_format in ("PNG", "WEBP"):
        data = encode(still, file_format, save_all=True, append_images=[next_one])
        prepared = prepare(data)
        assert prepared.suffix == ".png"
        seen, stored = decode(data).image, decode(prepared.data).image
        assert np.array_equal(np.asarray(seen), np.asarray(stored))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"words", NotAnImageError),
        (photograph(1)[:-400], TruncatedImageError),
        (telephone_jpeg(1)[:-400], TruncatedImageError),
        (photograph(1, "PNG")[:-400], TruncatedImageError),
        (photograph(1, "WEBP")[:-400], TruncatedImageError),
        (encode(draw_quarters(120, 100), "PNG"), ImageTooLargeError),
    ],
)
def test_what_cannot_be_decoded_is_refused(data: bytes, error: type[ProblemError]) -> None:
    with pytest.raises(error):
        prepare(data, max_pixels=96 * 96)
