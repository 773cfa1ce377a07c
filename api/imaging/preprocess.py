"""Upright RGB to the network's input: the one resize for training, evaluation and serving."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def to_input(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Squeeze the whole picture into uint8 [size, size, 3], 0..255, RGB.

    The whole picture and not a crop of it: a fruit at the edge counts, and a heat map over the
    result lies over the photograph as it is.
    """
    resized = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(resized, dtype=np.uint8)
