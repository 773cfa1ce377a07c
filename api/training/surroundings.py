"""What surrounds a fruit: other backgrounds and other fruit, put there for training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

# Work at this side: above the input size, so that the one resize still has something to average.
CANVAS = 224
WHITE = 232


def cut_out(image: Image.Image) -> Image.Image | None:
    """The fruit of a studio photograph, RGBA, or None where it is not white all around."""
    image = image.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, reducing_gap=2.0)
    outside = _white_background(np.asarray(image))
    if outside is None or _border(outside).mean() < 0.95:
        return None
    alpha = Image.fromarray(((1 - _soft(outside)) * 255).astype(np.uint8))
    fruit = image.convert("RGBA")
    fruit.putalpha(alpha)
    return fruit.crop(alpha.getbbox())


def surround(
    image: Image.Image, rng: Generator, neighbours: Sequence[Image.Image], replaced: bool
) -> Image.Image:
    """Put the fruit of a studio photograph before something else, and other fruit around it.

    In a photograph without a white background the other fruit lie on its edges.
    """
    if neighbours and rng.random() < 0.7:
        image = _shrink(image, rng)
    pixels = np.asarray(image)
    outside = _white_background(pixels)
    if outside is None:
        return _with_neighbours(image, rng, neighbours)
    backdrop = _backdrop(rng) if replaced else np.full(pixels.shape, 255, np.float32)
    if neighbours:
        table = Image.fromarray(backdrop.astype(np.uint8))
        backdrop = np.asarray(_with_neighbours(table, rng, neighbours), np.float32)
    soft = _soft(outside)[..., None]
    # Shadows are kept: the new background is multiplied by how white the old one was.
    mixed = pixels * (1 - soft) + backdrop * (pixels / 255.0) * soft
    return Image.fromarray(mixed.astype(np.uint8))


def _shrink(image: Image.Image, rng: Generator) -> Image.Image:
    """Step back: the picture smaller on its own border colour."""
    side = round(CANVAS * rng.uniform(0.55, 0.9))
    pixels = np.asarray(image)
    red, green, blue = np.median(_border(pixels), axis=0)
    canvas = Image.new("RGB", (CANVAS, CANVAS), (int(red), int(green), int(blue)))
    corner = (CANVAS - side) // 2
    canvas.paste(image.resize((side, side), Image.Resampling.BILINEAR), (corner, corner))
    return canvas


def _with_neighbours(
    image: Image.Image, rng: Generator, neighbours: Sequence[Image.Image]
) -> Image.Image:
    """One to three fruit whose middles are nearer to the edge than to the middle."""
    if not neighbours:
        return image
    image = image.copy()
    for _ in range(int(rng.integers(1, 4))):
        fruit = neighbours[int(rng.integers(len(neighbours)))]
        factor = CANVAS * rng.uniform(0.35, 0.75) / max(fruit.size)
        fruit = fruit.resize((int(fruit.width * factor) or 1, int(fruit.height * factor) or 1))
        angle, distance = rng.uniform(-np.pi, np.pi), CANVAS * rng.uniform(0.42, 0.62)
        x = CANVAS / 2 + distance * np.cos(angle) - fruit.width / 2
        y = CANVAS / 2 + distance * np.sin(angle) - fruit.height / 2
        image.paste(fruit, (round(x), round(y)), fruit)
    return image


def _white_background(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """The near-white that touches the border, bool [height, width]; None where there is none."""
    regions, _ = ndimage.label(pixels.min(axis=2) >= WHITE)
    border = _border(regions)
    outside: NDArray[np.bool_] = np.isin(regions, np.unique(border[border > 0]))
    return outside if 0.1 < outside.mean() < 0.95 else None


def _border(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels, [n] or [n, channels]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    blurred: NDArray[np.float32] = ndimage.uniform_filter(mask.astype(np.float32), 5)
    return blurred


def _backdrop(rng: Generator) -> NDArray[np.float32]:
    """A made-up table, cloth or wall: float32 [CANVAS, CANVAS, 3], 0..255."""
    base = rng.uniform(20, 245, 3)
    if rng.random() < 0.6:  # Most kitchens are grey, beige or brown.
        base = base.mean() + (base - base.mean()) * 0.25
    shape = (int(rng.integers(2, 24)), int(rng.integers(2, 24)), 3)
    blotches = rng.normal(0, rng.uniform(4, 40), shape) * rng.uniform(0, 1, 3)
    coarse = np.clip(base + blotches, 0, 255).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
    grain = rng.normal(0, rng.uniform(0, 10), (CANVAS, CANVAS, 1))
    return np.clip(np.asarray(smooth, np.float32) + grain, 0, 255).astype(np.float32)
