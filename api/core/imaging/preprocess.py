"""Upright RGB to the network's input: the one resize for training, evaluation and serving."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resize(image: Image.Image, size: int) -> Image.Image:
    """The whole picture in a square of `size` pixels.

    The whole picture and not a crop of it: a fruit at the edge counts, and a heat map over the
    result lies over the photograph as it is.
    """
    return image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)


def to_input(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """The picture squeezed into uint8 [size, size, 3], 0..255, RGB."""
    return np.asarray(resize(image, size), dtype=np.uint8)
