"""Pictures that show nothing, drawn by seed: noise, a flat colour, a blank sheet.

A grader must not recognise a fruit in them. It never learns from them.
"""

import numpy as np
from numpy.typing import NDArray

COUNT = 32


def strangers(size: int, seed: int = 0) -> dict[str, NDArray[np.uint8]]:
    """By kind, uint8 [COUNT, size, size, 3] as the network would see them.

    Noise is fine or coarse grain, grey or coloured; a flat colour is any; a blank sheet runs from
    black to white.
    """
    rng = np.random.default_rng(seed)
    noise = np.stack([_grain(rng, size, k) for k in range(COUNT)])
    colours = rng.integers(0, 256, (COUNT, 1, 1, 3), dtype=np.uint8)
    greys = np.linspace(0, 255, COUNT).astype(np.uint8)[:, None, None, None]
    shape = (COUNT, size, size, 3)
    return {
        "noise": noise,
        "flat_colour": np.broadcast_to(colours, shape),
        "blank": np.broadcast_to(greys, shape),
    }


def _grain(rng: np.random.Generator, size: int, number: int) -> NDArray[np.uint8]:
    """Noise of one grain of 1, 2, 4 or 8 pixels, every other time grey: uint8 [size, size, 3]."""
    grain = 2 ** (number // 2 % 4)
    cells = -(-size // grain)
    channels = 3 if number % 2 else 1
    coarse = rng.integers(0, 256, (cells, cells, channels), dtype=np.uint8)
    fine = coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:size, :size]
    return np.broadcast_to(fine, (size, size, 3))
