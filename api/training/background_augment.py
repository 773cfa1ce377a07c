"""Augmentation of what surrounds a fruit: another background, another distance, other fruit.

A photograph's background tells where it was taken, and in most sets that tells the label too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

# Work at this side: above the input size, so that the one resize still has something to average.
CANVAS = 224
WHITE = 232
# Paper in the shade is grey: nearly without colour, and not dark.
PAPER_COLOUR, PAPER_DARKEST = 40, 120
# Share of the backgrounds that are photographs, where there are any; the others are made up.
PHOTOGRAPHED = 0.5
# Share of the fruit before another background that are seen from further away.
FURTHER_AWAY = 0.35


@dataclass(frozen=True)
class Around:
    """`neighbours` are cut-outs of other fruit, RGBA; `backgrounds` are photographs uint8
    [height, width, 3]."""

    neighbours: Sequence[Image.Image] = ()
    backgrounds: Sequence[NDArray[np.uint8]] = ()


def segment(image: Image.Image) -> Image.Image | None:
    """The fruit of a photograph on white or paper, RGBA, or None where there is no such ground."""
    image = image.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, reducing_gap=2.0)
    outside = background_mask(np.asarray(image))
    if outside is None or _border(outside).mean() < 0.95:
        return None
    alpha = _alpha(outside)
    fruit = image.convert("RGBA")
    fruit.putalpha(alpha)
    return fruit.crop(alpha.getbbox())


def replace_background(
    image: Image.Image, rng: Generator, around: Around, *, beside: bool, replaced: bool
) -> Image.Image:
    """Put the fruit before something else where `replaced`, and other fruit `beside` it.

    `image` has the side CANVAS. Where the fruit does not lie on white or on paper, only the
    neighbours are added, at the edges.
    """
    neighbours = around.neighbours if beside else ()
    pixels = np.asarray(image)
    outside = background_mask(pixels)
    if outside is None:
        return _with_neighbours(image, rng, neighbours)
    ground = (
        _background(rng, around.backgrounds) if replaced else np.full(pixels.shape, 255, np.float32)
    )
    table = _with_neighbours(Image.fromarray(ground.astype(np.uint8)), rng, neighbours)
    if replaced and rng.random() < FURTHER_AWAY:
        return _further_away(image, outside, table, rng)
    # Shadows are kept: the new background is as much darker as the old one was.
    usual = np.maximum(np.median(pixels[outside], axis=0), 1)
    shade = np.clip(pixels / usual, 0, 1.15)
    soft = _soft(outside)[..., None]
    mixed = pixels * (1 - soft) + np.asarray(table, np.float32) * shade * soft
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def background_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """White or paper that touches the border: bool [height, width]; None where there is none."""
    # A minimum over the last axis takes ten times as long.
    red, green, blue = (pixels[..., k].astype(np.int16) for k in range(3))
    darkest = np.minimum(np.minimum(red, green), blue)
    brightest = np.maximum(np.maximum(red, green), blue)
    ground = darkest >= WHITE
    if _border(ground).mean() < 0.5:
        ground = (brightest - darkest < PAPER_COLOUR) & (darkest >= PAPER_DARKEST)
        if _border(ground).mean() < 0.7:
            return None
    regions, _ = ndimage.label(ground)
    border = _border(regions)
    outside: NDArray[np.bool_] = np.isin(regions, np.unique(border[border > 0]))
    return outside if 0.1 < outside.mean() < 0.95 else None


def _further_away(
    image: Image.Image, outside: NDArray[np.bool_], table: Image.Image, rng: Generator
) -> Image.Image:
    """The fruit at a third to four fifths of its size, somewhere on the table."""
    side = round(CANVAS * rng.uniform(0.33, 0.8))
    room = (CANVAS - side) // 2
    x, y = (room + int(rng.integers(-room // 2, room // 2 + 1)) for _ in range(2))
    small = image.resize((side, side), Image.Resampling.BILINEAR)
    table = table.copy()
    table.paste(small, (x, y), _alpha(outside).resize((side, side)))
    return table


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


def _background(rng: Generator, photographs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Part of a photograph, or a made-up table, cloth or wall: float32 [CANVAS, CANVAS, 3]."""
    if not photographs or rng.random() >= PHOTOGRAPHED:
        return _made_up(rng)
    image = Image.fromarray(photographs[int(rng.integers(len(photographs)))])
    share = rng.uniform(0.4, 1.0)
    width, height = (max(1, int(side * share)) for side in image.size)
    x = int(rng.integers(image.width - width + 1))
    y = int(rng.integers(image.height - height + 1))
    part = image.crop((x, y, x + width, y + height))
    return np.asarray(part.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR), np.float32)


def _made_up(rng: Generator) -> NDArray[np.float32]:
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
    return Image.fromarray(((1 - _soft(outside)) * 255).astype(np.uint8))


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    blurred: NDArray[np.float32] = ndimage.uniform_filter(mask.astype(np.float32), 5)
    return blurred


def _border(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels, [n] or [n, channels]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
