"""Background augmentation: cut-outs, new backgrounds, smaller fruit, neighbouring fruit.

A background shows where a photo was taken, and in most datasets that gives the label away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.resize import resize

# Side of the working image: larger than the input, so that the final resize still averages.
CANVAS = 224
WHITE = 232
# Paper in shade is grey: little chroma, and not dark.
PAPER_MAX_CHROMA, PAPER_MIN_VALUE = 40, 120
# Probability of a photographed background where there are any; the others are procedural.
PHOTO_BACKGROUND = 0.5
# Probability that fruit on a new background is shrunk.
SHRINK = 0.35


@dataclass(frozen=True)
class SceneAssets:
    """`cutouts` of other fruit, RGBA; `backgrounds` uint8 [height, width, 3]."""

    cutouts: Sequence[Image.Image] = ()
    backgrounds: Sequence[NDArray[np.uint8]] = ()


def segment(image: Image.Image) -> Image.Image | None:
    """Cut the fruit out of a white or paper background: RGBA; None where there is none."""
    image = resize(image, CANVAS)
    outside = background_mask(np.asarray(image))
    if outside is None or _border(outside).mean() < 0.95:
        return None
    alpha = _alpha(outside)
    cutout = image.convert("RGBA")
    cutout.putalpha(alpha)
    return cutout.crop(alpha.getbbox())


def replace_background(
    image: Image.Image, rng: Generator, assets: SceneAssets, *, background: bool, neighbours: bool
) -> Image.Image:
    """Give `image` (CANVAS a side) a new `background`, `neighbours`, or both.

    Without a white or paper background, it only gets the neighbours.
    """
    cutouts = assets.cutouts if neighbours else ()
    pixels = np.asarray(image)
    outside = background_mask(pixels)
    if outside is None:
        return _paste_neighbours(image, rng, cutouts)
    scene = Image.new("RGB", image.size, "white")
    if background:
        scene = _background(rng, assets.backgrounds)
    scene = _paste_neighbours(scene, rng, cutouts)
    if background and rng.random() < SHRINK:
        return _paste_smaller(image, outside, scene, rng)
    # Keep the shadows: darken the new background as much as the old one is below its median.
    base = np.maximum(np.median(pixels[outside], axis=0), 1)
    shade = np.clip(pixels / base, 0, 1.15)
    alpha = _feather(outside)[..., None]
    blended = pixels * (1 - alpha) + np.asarray(scene, np.float32) * shade * alpha
    return Image.fromarray(np.clip(blended, 0, 255).astype(np.uint8))


def background_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """White or paper connected to the border: bool [height, width]; None where there is none."""
    # A minimum over the last axis takes ten times as long.
    red, green, blue = (pixels[..., k].astype(np.int16) for k in range(3))
    darkest = np.minimum(np.minimum(red, green), blue)
    brightest = np.maximum(np.maximum(red, green), blue)
    ground = darkest >= WHITE
    if _border(ground).mean() < 0.5:
        ground = (brightest - darkest < PAPER_MAX_CHROMA) & (darkest >= PAPER_MIN_VALUE)
        if _border(ground).mean() < 0.7:
            return None
    outside = _reached_from_border(ground)
    return outside if 0.1 < outside.mean() < 0.95 else None


def _reached_from_border(ground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of `ground` [height, width] connected to the border, along rows and columns.

    Here and in `_feather` NumPy does what SciPy would: the API makes augmented views too, and SciPy
    would be a tenth of its container image.
    """
    rows, columns = _runs(ground), _runs(ground.T).T
    reached = ground.copy()
    reached[1:-1, 1:-1] = False
    known = -1
    while (count := int(reached.sum())) != known:
        known = count
        for runs in (rows, columns):
            is_reached = np.zeros(ground.size + 1, np.bool_)
            is_reached[runs[reached]] = True
            reached = is_reached[runs] & ground
    return reached


def _runs(ground: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The number of the run that each set pixel belongs to in its row: [height, width]."""
    starts = ground.copy()
    starts[:, 1:] &= ~ground[:, :-1]
    numbers: NDArray[np.int64] = np.cumsum(starts.ravel(), dtype=np.int64)
    return numbers.reshape(ground.shape)


def _paste_smaller(
    image: Image.Image, outside: NDArray[np.bool_], scene: Image.Image, rng: Generator
) -> Image.Image:
    """Paste the fruit at 0.33 to 0.8 of its size near the middle of the scene."""
    side = round(CANVAS * rng.uniform(0.33, 0.8))
    margin = (CANVAS - side) // 2
    x, y = (margin + int(rng.integers(-margin // 2, margin // 2 + 1)) for _ in range(2))
    small = image.resize((side, side), Image.Resampling.BILINEAR)
    scene = scene.copy()
    scene.paste(small, (x, y), _alpha(outside).resize((side, side)))
    return scene


def _paste_neighbours(
    image: Image.Image, rng: Generator, cutouts: Sequence[Image.Image]
) -> Image.Image:
    """Paste one to three cut-outs around the middle, which stays visible."""
    if not cutouts:
        return image
    image = image.copy()
    for _ in range(int(rng.integers(1, 4))):
        cutout = cutouts[int(rng.integers(len(cutouts)))]
        factor = CANVAS * rng.uniform(0.35, 0.75) / max(cutout.size)
        cutout = cutout.resize((int(cutout.width * factor) or 1, int(cutout.height * factor) or 1))
        angle, distance = rng.uniform(-np.pi, np.pi), CANVAS * rng.uniform(0.42, 0.62)
        x = CANVAS / 2 + distance * np.cos(angle) - cutout.width / 2
        y = CANVAS / 2 + distance * np.sin(angle) - cutout.height / 2
        image.paste(cutout, (round(x), round(y)), cutout)
    return image


def _background(rng: Generator, photos: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """A random crop of a photo or a procedural background, CANVAS a side."""
    if not photos or rng.random() >= PHOTO_BACKGROUND:
        return Image.fromarray(procedural_background(rng).astype(np.uint8))
    image = Image.fromarray(photos[int(rng.integers(len(photos)))])
    share = rng.uniform(0.4, 1.0)
    width, height = (max(1, int(side * share)) for side in image.size)
    x = int(rng.integers(image.width - width + 1))
    y = int(rng.integers(image.height - height + 1))
    crop = image.crop((x, y, x + width, y + height))
    return crop.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)


def procedural_background(rng: Generator) -> NDArray[np.float32]:
    """A base colour with blotches and grain, like a table or cloth: [CANVAS, CANVAS, 3]."""
    base = rng.uniform(20, 245, 3)
    if rng.random() < 0.6:  # Most kitchens are grey, beige or brown.
        base = base.mean() + (base - base.mean()) * 0.25
    shape = (int(rng.integers(2, 24)), int(rng.integers(2, 24)), 3)
    blotches = rng.normal(0, rng.uniform(4, 40), shape) * rng.uniform(0, 1, 3)
    coarse = np.clip(base + blotches, 0, 255).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
    grain = rng.normal(0, rng.uniform(0, 10), (CANVAS, CANVAS, 1))
    return np.clip(np.asarray(smooth, np.float32) + grain, 0, 255).astype(np.float32)


def _alpha(outside: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(((1 - _feather(outside)) * 255).astype(np.uint8))


def _feather(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The mean of the 5 x 5 pixels around each; those at the border are mirrored."""
    padded = np.pad(mask, 2, mode="symmetric").astype(np.float32)
    return _means_of_five(_means_of_five(padded).T).T


def _means_of_five(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of five rows each: [n, m] to [n - 4, m]."""
    total = np.zeros((len(values) - 4, values.shape[1]))
    for first in range(5):
        total += values[first : len(total) + first]
    return (total / 5).astype(np.float32)


def _border(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels, [n] or [n, channels]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
