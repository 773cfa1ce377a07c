"""The grid that a detector is trained towards, from the boxes of a scene.

As in Z. Liu et al., "Training-Time-Friendly Network for Real-Time Object Detection", 2020: a
Gaussian around each centre, as wide as the box, and box distances wherever it is high.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray

# Channels of a cell of the target.
HEAT, CARE, INSIDE, DISTANCES, KIND = 0, 1, 2, slice(3, 7), 7
CHANNELS = 8
# Width of the Gaussian as a share of the box, in standard deviations.
SPREAD = 0.54 / 6
# Cells with less than this share of the Gaussian's height learn no box.
LEAST_INSIDE = 0.05
# The kind of a fruit if only its place is known.
UNKNOWN = -1
NO_BOXES = np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Scene:
    """A picture and its fruits: `boxes` float32 [n, 4] in shares of its width and height, `kinds`
    indices of fruits [n], UNKNOWN where only the place is known. `ignored` boxes [m, 4] may or may
    not be fruit. Unless `complete`, there may be fruit outside all boxes as well.
    """

    image: Image.Image
    boxes: FloatArray
    kinds: Sequence[int]
    ignored: FloatArray
    complete: bool = True

    @classmethod
    def empty(cls, image: Image.Image) -> "Scene":
        """A picture without fruit."""
        return cls(image, NO_BOXES, (), NO_BOXES)


def as_boxes(rows: Sequence[Sequence[float]]) -> FloatArray:
    """float32 [n, 4], even for no rows."""
    return np.array(rows, np.float32).reshape(-1, 4)


def make_target(scene: Scene, grid: int) -> NDArray[np.float32]:
    """The target [grid, grid, CHANNELS] of a scene."""
    target = np.zeros((grid, grid, CHANNELS), np.float32)
    middle = ((np.arange(grid) + 0.5) / grid).astype(np.float32)
    target[..., CARE] = float(scene.complete)
    for box in scene.ignored:
        rows, columns = _covered(box, middle, 0.0)
        target[rows, columns, CARE] = 0
    if not scene.complete:
        for box in scene.boxes:
            rows, columns = _covered(box, middle, 0.15)
            target[rows, columns, CARE] = 1
    for box, kind in zip(scene.boxes, scene.kinds, strict=True):
        left, top, right, bottom = box.tolist()
        x, y = (left + right) / 2, (top + bottom) / 2
        # Wide enough that the neighbouring cells count a little even for a small box.
        spread_x = max(SPREAD * (right - left), 0.3 / grid)
        spread_y = max(SPREAD * (bottom - top), 0.3 / grid)
        column, row = (min(int(value * grid), grid - 1) for value in (x, y))
        along = np.exp(-((middle - middle[column]) ** 2) / (2 * spread_x**2))
        down = np.exp(-((middle - middle[row]) ** 2) / (2 * spread_y**2))
        heat = down[:, None] * along
        won = (heat >= LEAST_INSIDE) & (heat > target[..., HEAT])
        target[..., HEAT] = np.maximum(target[..., HEAT], heat)
        inside = heat * won
        target[..., INSIDE][won] = (inside / max(float(inside.sum()), 1e-6))[won]
        in_rows, in_columns = np.nonzero(won)
        x, y = middle[in_columns], middle[in_rows]
        distances = np.stack([x - left, y - top, right - x, bottom - y], axis=1)
        target[in_rows, in_columns, DISTANCES] = distances
        target[..., KIND][won] = kind
        target[row, column, CARE] = 1
    return target


def _covered(box: FloatArray, middle: FloatArray, margin: float) -> tuple[slice, slice]:
    """The cells of a box with a `margin`, a share of its sides."""
    left, top, right, bottom = box.tolist()
    across, down = margin * (right - left), margin * (bottom - top)
    first_x, last_x = np.searchsorted(middle, (left - across, right + across)).tolist()
    first_y, last_y = np.searchsorted(middle, (top - down, bottom + down)).tolist()
    return slice(first_y, last_y), slice(first_x, last_x)
