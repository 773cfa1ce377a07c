"""Small copies to look at."""

import io

import numpy as np
import pytest
from PIL import Image

from api.core.imaging.thumbnail import thumbnail
from tests.drawing import draw_quarters, encode


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image


@pytest.mark.parametrize(
    ("size", "shown"),
    [(64, (64, 48)), (448, (448, 336)), (1024, (1024, 768)), (5000, (2000, 1500))],
)
def test_no_side_is_longer_than_was_asked_for(size: int, shown: tuple[int, int]) -> None:
    assert opened(thumbnail(encode(draw_quarters(2000, 1500), "JPEG"), size)).size == shown


def test_it_stands_upright_and_tells_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    small = opened(thumbnail(encode(draw_quarters(), "JPEG", exif=exif), 64))
    assert small.size == (43, 64)
    assert not small.getexif()
    assert np.abs(np.asarray(small, int)[2, 2] - (0, 0, 255)).max() < 20
