"""Stand-ins for a detector, and scenes in which they find the fruits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from api.core.boxes import Box
from api.model.detector import Detection
from tests.synthetic_images import draw_fruit

# Upper limit of a fruit pixel's darkest channel; the tables of `draw_fruit` are brighter.
DARKEST = 200
GAP, SMALLEST = 10, 20  # Pixels between fruits, and the fewest pixels of a fruit.


def find_blobs(pixels: NDArray[np.uint8]) -> list[Detection]:
    """One fruit for each connected area of at least SMALLEST non-white pixels, largest first."""
    labels, count = ndimage.label(pixels.min(axis=2) < DARKEST)
    sizes = ndimage.sum_labels(np.ones(labels.shape), labels, range(1, count + 1))
    found = []
    for slices, size in zip(ndimage.find_objects(labels), sizes, strict=True):
        rows, columns = slices
        if size >= SMALLEST:
            box = Box(columns.start, rows.start, columns.stop, rows.stop)
            found.append(Detection(box, float(min(0.99, size / labels.size + 0.3)), "apple"))
    return sorted(found, key=lambda one: -one.score)


def draw_crate(
    kinds: Sequence[str], seed: int = 0, tile: int = 120, across: int = 3
) -> Image.Image:
    """Fruits of `draw_fruit` in rows, each in the middle of a white tile of `tile` pixels.

    A gap between the tiles keeps large fruits apart, which `find_blobs` would otherwise merge.
    """
    step, down = tile + GAP, -(-len(kinds) // across)
    crate = Image.new("RGB", (step * across, step * down), "white")
    for k, kind in enumerate(kinds):
        fruit = draw_fruit(kind, seed + k, tile)
        crate.paste(fruit, (k % across * step, k // across * step))
    return crate
