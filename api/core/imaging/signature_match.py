"""Which signatures may be of the same photo as an image: mirrored, turned, or cropped a little.

Only proposals: two fruits in front of a fixed camera have almost the same signature.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray
from api.core.imaging.alignment import SIDE, greyscale
from api.core.imaging.hashing import COLOUR_GRID, EDGE_BYTES, GRID

ORIENTATIONS = 8
BLOCK_ROWS = 8192
# A proposal scores 1 for equal colours, plus this for equal edges.
EDGE_WEIGHT = 0.3
# 99.9 % of copies score more (docs/log/data.md, 2026-11-28).
MIN_SCORE = 0.75
# A step between neighbouring cells below NOISE is noise; above CLEAR, all steps count the same.
NOISE, CLEAR = 1.0, 12.0
# Shares that a crop may have cut off at one side, and at two opposite sides together.
CUTS = (0.0, 0.025, 0.05, 0.075, 0.1)
MAX_CUT = 0.126
# A cell that lost a larger share than this is not compared.
EDGE_CELL_CUT, COLOUR_CELL_CUT = 0.2, 0.05


class Proposals(NamedTuple):
    """Rows of the signatures int64 [m], and the orientation of the image for each: int64 [m]."""

    rows: NDArray[np.int64]
    orientations: NDArray[np.int64]


def oriented(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """`pixels` [side, side, channels] mirrored or turned: `orientation` 0 (unchanged) to 7."""
    if orientation & 4:
        pixels = pixels.swapaxes(0, 1)
    if orientation & 2:
        pixels = pixels[::-1]
    if orientation & 1:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def oriented_image(image: Image.Image, orientation: int) -> Image.Image:
    """Like `oriented`, for an image."""
    if orientation & 4:
        image = image.transpose(Image.Transpose.TRANSPOSE)
    if orientation & 2:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    if orientation & 1:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image


def propose(pixels: NDArray[np.uint8], signatures: NDArray[np.uint8], most: int) -> Proposals:
    """The `most` best pairs of a signature and an orientation of the image, best first.

    `pixels` uint8 [64, 64, 3] is the image's thumbnail, `signatures` uint8 [n, 80].
    """
    views = np.stack([oriented(pixels, orientation) for orientation in range(ORIENTATIONS)])
    colours = _normalized(_cells(views, COLOUR_GRID, COLOUR_GRID))
    steps = np.diff(_cells(greyscale(views)[..., None], GRID, GRID + 1)[..., 0], axis=2)
    steps = steps.reshape(ORIENTATIONS, -1)
    clear = np.packbits(np.abs(steps) > NOISE, axis=1).view(np.uint64)
    rising = np.packbits(steps > 0, axis=1).view(np.uint64)
    clear_bits = np.maximum(np.bitwise_count(clear).sum(axis=1, dtype=np.int64), 1)

    scores = np.empty((ORIENTATIONS, len(signatures)), np.float32)
    for start in range(0, len(signatures), BLOCK_ROWS):
        block = signatures[start : start + BLOCK_ROWS]
        edges = np.ascontiguousarray(block[:, :EDGE_BYTES]).view(np.uint64)
        own = _normalized(block[:, EDGE_BYTES:].astype(np.float32))
        part = scores[:, start : start + BLOCK_ROWS]
        part[:] = colours @ own.T
        for orientation in range(ORIENTATIONS):
            differing = np.bitwise_count((edges ^ rising[orientation]) & clear[orientation])
            share = differing.sum(axis=1, dtype=np.float32) / clear_bits[orientation]
            part[orientation] += EDGE_WEIGHT * (1 - 2 * share)
    flat = scores.ravel()
    best = np.flatnonzero(flat >= MIN_SCORE)
    best = best[np.argsort(-flat[best], kind="stable")[:most]]
    orientations, rows = np.divmod(best, max(len(signatures), 1))
    return Proposals(rows, orientations)


def best_windows(
    pixels: NDArray[np.uint8], signatures: NDArray[np.uint8]
) -> tuple[FloatArray, FloatArray]:
    """How well an image, whole or cropped, fits photos known only by their signatures.

    Tries each part of a photo that CUTS leave, and keeps the best fit. Returns the agreement of the
    edges, -1 to 1, and the mean difference of the colours in grey levels: float32 [n] each.
    `pixels` uint8 [64, 64, 3], `signatures` uint8 [n, 80].
    """
    rows, columns, in_rows, in_columns = _windows(GRID, GRID + 1, EDGE_CELL_CUT)
    cells = rows[:, None] @ greyscale(pixels[None])[0] @ columns[None].swapaxes(2, 3)
    inside = in_rows[:, None, :, None] & (in_columns[:, 1:] & in_columns[:, :-1])[None, :, None]
    steps = np.diff(cells, axis=3)
    weights = np.minimum(np.abs(steps), CLEAR) * inside
    total = weights.sum(axis=(2, 3)).ravel() + 1e-3
    signed = (weights * np.sign(steps)).reshape(len(total), -1)
    bits = np.unpackbits(signatures[:, :EDGE_BYTES], axis=1).astype(np.float32) * 2 - 1
    agreement = bits @ signed.T / total

    rows, columns, in_rows, in_columns = _windows(COLOUR_GRID, COLOUR_GRID, COLOUR_CELL_CUT)
    channels = pixels.astype(np.float32).transpose(2, 0, 1)
    colours = rows[:, None, None] @ channels @ columns[None, :, None].swapaxes(3, 4)
    shown = (in_rows[:, None, None, :, None] & in_columns[None, :, None, None]).astype(np.float32)
    shown = np.broadcast_to(shown, colours.shape).reshape(len(total), 3, -1)
    colours = colours.reshape(len(total), 3, -1) * shown
    known = signatures[:, EDGE_BYTES:].reshape(-1, COLOUR_GRID**2, 3).astype(np.float32)
    known = known.transpose(0, 2, 1)[:, None] * shown
    # A copy that was brightened as a whole is still a copy.
    gain = colours.sum(axis=2) / np.maximum(known.sum(axis=3), 1)
    relit = np.minimum(known * np.clip(gain, 0.75, 1.3)[..., None], 255)
    difference = np.abs(relit - colours).sum(axis=(2, 3)) / shown.sum(axis=(1, 2))

    best = np.argmax(agreement - difference / 10, axis=1)[:, None]
    return (
        np.take_along_axis(agreement, best, axis=1)[:, 0],
        np.take_along_axis(difference, best, axis=1)[:, 0],
    )


def _normalized(rows: FloatArray) -> FloatArray:
    """Each row float32 [n, ...] minus its mean, scaled to length 1 and flattened."""
    rows = rows.reshape(len(rows), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True) + np.float32(1e-3)
    scaled: FloatArray = rows / length
    return scaled


def _cells(views: NDArray[np.number], rows: int, columns: int) -> FloatArray:
    """Means of a grid of cells: [k, 64, 64, channels] to float32 [k, rows, columns, channels]."""
    down, across = _averages(rows, 0, 0), _averages(columns, 0, 0)
    cells: FloatArray = np.einsum(
        "rs,kstc,gt->krgc", down, views.astype(np.float32), across, optimize=True
    )
    return cells


@lru_cache
def _windows(
    rows: int, columns: int, max_cut: float
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Averages of each window [windows, cells, 64], and the cells it shows [windows, cells]."""
    cuts = [(first, last) for first in CUTS for last in CUTS if first + last <= MAX_CUT]
    down, across = (np.stack([_averages(n, *cut) for cut in cuts]) for n in (rows, columns))
    shown = [np.stack([_shown(n, *cut, max_cut) for cut in cuts]) for n in (rows, columns)]
    return down, across, shown[0], shown[1]


def _bounds(cells: int, first: float, last: float) -> FloatArray:
    """Where the cells of the whole photo begin and end in its cropped copy: float32 [cells + 1]."""
    ends = np.arange(cells + 1, dtype=np.float32) / cells
    bounds: FloatArray = ((ends - first) / (1 - first - last) * SIDE).astype(np.float32)
    return bounds


def _averages(cells: int, first: float, last: float) -> FloatArray:
    """Averages a row of a copy, which lacks the shares `first` and `last` of the photo, to the
    photo's cells: float32 [cells, 64]."""
    bounds = np.clip(_bounds(cells, first, last), 0, SIDE)
    pixels = np.arange(SIDE, dtype=np.float32)
    overlap = np.minimum(bounds[1:, None], pixels + 1) - np.maximum(bounds[:-1, None], pixels)
    overlap = np.maximum(overlap, 0)
    averages: FloatArray = overlap / np.maximum(
        overlap.sum(axis=1, keepdims=True), np.float32(1e-6)
    )
    return averages


def _shown(cells: int, first: float, last: float, max_cut: float) -> NDArray[np.bool_]:
    """Which cells the copy shows, except for at most `max_cut` of each: bool [cells]."""
    bounds = _bounds(cells, first, last)
    allowed = max_cut * (bounds[1] - bounds[0])
    shown: NDArray[np.bool_] = (bounds[:-1] >= -allowed) & (bounds[1:] <= SIDE + allowed)
    return shown
