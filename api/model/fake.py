"""A weightless stand-in for a backbone, for tests of what lies around it."""

import numpy as np
from numpy.typing import NDArray

CHANNELS = 6


class FakeBackbone:
    """Features that follow the colour of the picture and nothing else.

    uint8 [n, size, size, 3] to float32 [n, 2, 2, 6]: the mean red, green and blue of each quarter,
    0..1, and their complements.
    """

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        half = pixels.shape[1] // 2
        quarters = pixels[:, : half * 2, : half * 2].reshape(-1, 2, half, 2, half, 3)
        colour = quarters.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
        return np.concatenate([colour, 1 - colour], axis=-1)
