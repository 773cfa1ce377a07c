"""Aligns two photos and compares them where they differ most.

The mean difference of two scenes says little: in front of a fixed camera, two fruits differ only in
a few places. A copy that was saved again, resized, brightened or cropped is the same everywhere.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray

# Side of a thumbnail.
SIDE = 64
# Sides of reduced thumbnails, and the Gauss-Newton steps at each.
COARSE = ((16, 8),)
FINE = ((32, 6), (64, 2))
COMPARED_SIDE = 32
# The parameters that alignment fits: scale and shift of each axis (a crop), or any affine map.
CROPPED = (0, 2, 4, 5)
TURNED = (0, 1, 2, 3, 4, 5)
# Limits of a step, of the scale minus 1, and of the change of contrast.
MAX_STEP = 0.1
MIN_SCALE, MAX_SCALE = -0.35, 0.45
MIN_GAIN, MAX_GAIN = 0.6, 1.7
BLOCK = 8
# The unit of a difference: this many grey levels, plus this share of the step to the next pixel,
# which a shift by less than a pixel explains.
FLAT_TOLERANCE = 6.0
EDGE_TOLERANCE = 0.5
# Share of a block, and of the whole, that the other photo must cover to be compared.
MIN_BLOCK_COVERED = 0.4
MIN_COVERED = 0.5
# Between these values, neither photo is clipped to black or white.
DARKEST, BRIGHTEST = 16, 200


def thumbnail_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The thumbnail to compare photos by: uint8 [64, 64, 3], squeezed into a square."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small.convert("RGB"), dtype=np.uint8)


def rotation(degrees: float) -> FloatArray:
    """The start of `coarse_align` for a photo that was turned about its middle: float32 [6]."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([cosine - 1, -sine, 0, sine, cosine - 1, 0], np.float32)


def coarse_align(
    photos: NDArray[np.uint8],
    others: NDArray[np.uint8],
    start: FloatArray,
    fitted: tuple[int, ...] = CROPPED,
) -> tuple[FloatArray, FloatArray]:
    """Align pairs uint8 [k, 64, 64, 3] at low resolution, from the maps `start` float32 [k, 6].

    Returns the maps and the correlation of each pair, float32 [k]. A map (a, b, c, d, e, f) takes
    the point (x, y) of the photo to (x + ax + by + c, y + dx + ey + f) of the other; coordinates
    run from -0.5 to 0.5.
    """
    grey, other_grey, maps = greyscale(photos), greyscale(others), start
    for side, steps in COARSE:
        maps = _align(_reduce(grey, side), _reduce(other_grey, side), maps, steps, fitted)
    small, other_small = _reduce(grey, COMPARED_SIDE), _reduce(other_grey, COMPARED_SIDE)
    sampled, covered = _sample(other_small[..., None], *_mapped(maps, COMPARED_SIDE))
    own, weights = small.reshape(len(small), -1), covered.astype(np.float32)
    total = weights.sum(axis=1, keepdims=True) + 1e-3
    sampled = sampled[..., 0]
    a = (sampled - (sampled * weights).sum(axis=1, keepdims=True) / total) * weights
    b = (own - (own * weights).sum(axis=1, keepdims=True) / total) * weights
    products = (a * b).sum(axis=1)
    return maps, products / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1.0)


def worst_differences(
    photos: NDArray[np.uint8],
    others: NDArray[np.uint8],
    maps: FloatArray,
    fitted: tuple[int, ...],
) -> tuple[FloatArray, FloatArray]:
    """The difference of each pair in the block where it is largest, and its mean: float32 [k] each.

    About 0.1 for copies, above 0.7 for different photographs; infinite where they overlap too
    little. `maps` are those of `coarse_align`, which are refined first. Changes of brightness,
    contrast and colour of the whole photo do not count.
    """
    grey, other_grey = greyscale(photos), greyscale(others)
    for side, steps in FINE:
        maps = _align(_reduce(grey, side), _reduce(other_grey, side), maps, steps, fitted)
    sampled, covered = _sample(others.astype(np.float32), *_mapped(maps, SIDE))
    own = photos.reshape(len(photos), -1, 3).astype(np.float32)
    edges = _steepness(photos.astype(np.float32).mean(axis=3)).reshape(len(photos), -1)
    scaled, mean = _block_differences(own - _scaled(own, sampled, covered), covered, edges)
    fitted_curve = _fitted(own, sampled, covered, edges)
    worst, other_mean = _block_differences(own - fitted_curve, covered, edges)
    mean = np.where(scaled < worst, mean, other_mean)
    enough = covered.mean(axis=1) >= MIN_COVERED
    return np.where(enough, np.minimum(scaled, worst), np.float32(np.inf)), mean


def greyscale(pixels: NDArray[np.uint8]) -> FloatArray:
    """Brightness float32 [k, side, side] of [k, side, side, 3]."""
    grey: FloatArray = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return grey


def _reduce(grey: FloatArray, side: int) -> FloatArray:
    """Float32 [k, side, side] of [k, 64, 64]."""
    factor = grey.shape[1] // side
    if factor == 1:
        return grey
    reduced: FloatArray = grey.reshape(len(grey), side, factor, side, factor).mean(axis=(2, 4))
    return reduced


def _coordinates(side: int) -> tuple[FloatArray, FloatArray]:
    """x and y of every pixel, float32 [side * side]."""
    ticks = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    places: FloatArray = np.stack(np.meshgrid(ticks, ticks)).reshape(2, -1).astype(np.float32)
    return places[0], places[1]


def _mapped(maps: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """Where the maps take every pixel, in pixels: float32 [k, side * side] each."""
    x, y = _coordinates(side)
    a, b, c, d, e, f = maps.T[..., None]
    across: FloatArray = (x + a * x + b * y + c + 0.5) * side - 0.5
    down: FloatArray = (y + d * x + e * y + f + 0.5) * side - 0.5
    return across, down


def _sample(
    images: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Bilinear values of [k, side, side, channels] at [k, p] places, and which lie inside."""
    count, side = images.shape[:2]
    inside = (np.minimum(x, y) >= -0.5) & (np.maximum(x, y) <= side - 0.5)
    x, y = np.clip(x, 0, side - 1.001), np.clip(y, 0, side - 1.001)
    left, top = x.astype(np.int32), y.astype(np.int32)
    across, down = (x - left)[..., None], (y - top)[..., None]
    flat = images.reshape(count * side * side, -1)
    corner = top * side + left + np.arange(count, dtype=np.int32)[:, None] * (side * side)
    upper = flat[corner] * (1 - across) + flat[corner + 1] * across
    lower = flat[corner + side] * (1 - across) + flat[corner + side + 1] * across
    return upper * (1 - down) + lower * down, inside


def _align(
    photos: FloatArray, others: FloatArray, maps: FloatArray, steps: int, fitted: tuple[int, ...]
) -> FloatArray:
    """Refine the maps of pairs float32 [k, side, side] by Gauss-Newton steps.

    Contrast and brightness are fitted too; pixels that fit badly count less.
    """
    count, side = photos.shape[:2]
    x, y = _coordinates(side)
    own = photos.reshape(count, -1)
    down, across = np.gradient(others, axis=(1, 2))
    images = np.stack([others, across * side, down * side], axis=3)
    ones = np.ones_like(own)
    for _ in range(steps):
        values, inside = _sample(images, *_mapped(maps, side))
        other, slope_x, slope_y = np.moveaxis(values, 2, 0)
        weights = inside.astype(np.float32)
        total = weights.sum(axis=1, keepdims=True) + 1e-3
        deviation = other - (other * weights).sum(axis=1, keepdims=True) / total
        own_deviation = own - (own * weights).sum(axis=1, keepdims=True) / total
        weighted = deviation * weights
        gain = (weighted * own_deviation).sum(axis=1, keepdims=True)
        gain = np.clip(gain / ((weighted * deviation).sum(axis=1, keepdims=True) + 1), 0.3, 3)
        residual = own_deviation - gain * deviation
        spread = np.sqrt((residual**2 * weights).sum(axis=1, keepdims=True) / total) + 1
        weights /= 1 + (residual / (2 * spread)) ** 2
        slope_x, slope_y = slope_x * gain, slope_y * gain
        columns = (slope_x * x, slope_x * y, slope_x, slope_y * x, slope_y * y, slope_y)
        jacobian = np.stack([*(columns[k] for k in fitted), deviation, ones], axis=2)
        transposed = (jacobian * weights[..., None]).transpose(0, 2, 1)
        normal = transposed @ jacobian
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * 1.01 + 0.01 * side * side
        step = np.linalg.solve(normal, transposed @ residual[..., None])[:, : len(fitted), 0]
        maps = maps.copy()
        maps[:, fitted] += np.clip(step, -MAX_STEP, MAX_STEP)
        maps[:, [0, 4]] = np.clip(maps[:, [0, 4]], MIN_SCALE, MAX_SCALE)
    return maps


def _steepness(grey: FloatArray) -> FloatArray:
    """The steepest gradient within one pixel of each pixel: float32 [k, side, side]."""
    down, across = np.gradient(grey, axis=(1, 2))
    padded = np.pad(np.hypot(down, across), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    steepest: FloatArray = np.maximum(np.maximum(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])
    return steepest


def _scaled(own: FloatArray, other: FloatArray, covered: NDArray[np.bool_]) -> FloatArray:
    """`other` [k, p, 3] times the median ratio of each channel, as when a photo is brightened."""
    some = (slice(None), slice(None, None, 5))
    usable = covered[some][..., None] & (other[some] > DARKEST) & (other[some] < BRIGHTEST)
    count = usable.sum(axis=1, keepdims=True)
    # The median of the usable ones, which sort before the others.
    ratios = np.sort(np.where(usable, own[some] / np.maximum(other[some], 1), np.inf), axis=1)
    gain = np.where(
        count < 0.02 * usable.shape[1], 1, np.take_along_axis(ratios, count // 2, axis=1)
    )
    relit: FloatArray = np.clip(other * np.clip(gain, MIN_GAIN, MAX_GAIN), 0, 255)
    return relit


def _fitted(
    own: FloatArray, other: FloatArray, covered: NDArray[np.bool_], edges: FloatArray
) -> FloatArray:
    """`other` [k, p, 3] with brightness and contrast of each channel fitted to `own`."""
    flat = covered / (1 + (edges / 20) ** 2)
    weights = flat[..., None] * ((own > 8) & (own < 247))
    few = weights.sum(axis=1, keepdims=True) < 0.02 * own.shape[1]
    weights = np.where(few, flat[..., None], weights).astype(np.float32)
    relit = other
    for _ in range(2):
        total = weights.sum(axis=1, keepdims=True) + 1e-3
        mean = (other * weights).sum(axis=1, keepdims=True) / total
        own_mean = (own * weights).sum(axis=1, keepdims=True) / total
        deviation = other - mean
        weighted = deviation * weights
        # Keeps the contrast of a flat photo, where noise would decide it.
        flatness = 50 * total
        gain = (weighted * (own - own_mean)).sum(axis=1, keepdims=True) + flatness
        gain /= (weighted * deviation).sum(axis=1, keepdims=True) + flatness
        relit = np.clip(np.clip(gain, MIN_GAIN, MAX_GAIN) * deviation + own_mean, 0, 255)
        residual = own - relit
        spread = np.sqrt((residual**2 * weights).sum(axis=1, keepdims=True) / total) + 2
        weights = weights / (1 + (residual / (2 * spread)) ** 2)
    return relit


def _block_differences(
    residual: FloatArray, covered: NDArray[np.bool_], edges: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The difference in the worst block and in the whole, in tolerances: float32 [k] each."""
    count = len(residual)
    smooth: NDArray[Any] = (residual * covered[..., None]).reshape(count, SIDE, SIDE, 3)
    # Noise of single pixels does not count.
    smooth = np.pad(smooth, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    smooth = (smooth[:, :-2] + smooth[:, 1:-1] + smooth[:, 2:]) / 3
    smooth = (smooth[:, :, :-2] + smooth[:, :, 1:-1] + smooth[:, :, 2:]) / 3
    size = np.abs(smooth).mean(axis=3).reshape(count, -1)
    size = size / (FLAT_TOLERANCE + EDGE_TOLERANCE * edges) * covered
    blocks = (count, SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK)
    sums = size.reshape(blocks).sum(axis=(2, 4))
    pixels = covered.reshape(blocks).sum(axis=(2, 4))
    means = np.where(pixels > MIN_BLOCK_COVERED * BLOCK**2, sums / np.maximum(pixels, 1), 0)
    worst: FloatArray = means.max(axis=(1, 2)).astype(np.float32)
    mean: FloatArray = size.sum(axis=1) / np.maximum(covered.sum(axis=1), 1)
    return worst, mean.astype(np.float32)
