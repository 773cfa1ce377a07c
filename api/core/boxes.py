"""Boxes around things in a picture: their overlap, and which of several to keep."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray


class Box(NamedTuple):
    """Corners in pixels of an upright picture; x to the right, y down."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


def areas(boxes: FloatArray) -> FloatArray:
    """The areas [n] of boxes [n, 4]; 0 for a box without width or height."""
    sides: FloatArray = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def overlaps(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of each pair: [n, m] of [n, 4] and [m, 4], 0 to 1."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = areas(boxes)[:, None] + areas(others)[None] - shared
    result: FloatArray = shared / np.maximum(union, 1e-9)
    return result


def suppress(boxes: FloatArray, scores: FloatArray, max_overlap: float) -> NDArray[np.int64]:
    """Greedy non-maximum suppression: the rows of `boxes` [n, 4] to keep, best score first.

    A box is dropped if it overlaps a better one by more than `max_overlap`.
    """
    order = np.argsort(-scores, kind="stable")
    pairs = overlaps(boxes, boxes)
    kept: list[int] = []
    for row in order.tolist():
        if not kept or pairs[row, kept].max() <= max_overlap:
            kept.append(row)
    return np.array(kept, np.int64)
