"""The network sees the whole photograph, squeezed into a square."""

import numpy as np
import pytest

from api.core.imaging.preprocess import to_input
from tests.drawing import draw_quarters


@pytest.mark.parametrize("size", [96, 160, 224])
@pytest.mark.parametrize("shape", [(640, 200), (150, 610), (90, 90), (3, 5)])
def test_the_input_is_a_square_of_bytes(size: int, shape: tuple[int, int]) -> None:
    pixels = to_input(draw_quarters(*shape), size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("shape", [(640, 200), (150, 610), (500, 500)])
def test_the_whole_picture_is_in_it(shape: tuple[int, int]) -> None:
    pixels = to_input(draw_quarters(*shape), 100).astype(int)
    for rows, columns, colour in [
        (slice(0, 48), slice(0, 48), (255, 0, 0)),
        (slice(0, 48), slice(52, 100), (0, 255, 0)),
        (slice(52, 100), slice(0, 48), (0, 0, 255)),
        (slice(52, 100), slice(52, 100), (255, 255, 255)),
    ]:
        assert np.abs(pixels[rows, columns] - colour).max() <= 2


def test_shrinking_averages() -> None:
    """Lines one pixel wide come out as even grey, not as stripes."""
    lines = draw_quarters(512, 512).convert("L")
    lines.putdata([255 * (place % 2) for place in range(512 * 512)])
    pixels = to_input(lines.convert("RGB"), 64)
    assert np.abs(pixels.astype(int) - 127).max() <= 3
