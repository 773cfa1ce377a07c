"""Skin of one fruit on another: a fruit that is rotten in one place is rotten.

Few photographs teach that. Sound skin laid on sound fruit in the same way leaves it sound, so that
what counts is the skin and not the seam.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from api.training.surroundings import CANVAS, soft, white_background

TRIES = 8
# Of the fruit that can be seen, a patch covers at least this share.
LEAST_SHARE = 0.03
# Rot has less colour than sound skin: brown, black, grey, white.
PALER = 0.75


def graft(
    image: Image.Image, others: Sequence[Image.Image], rng: Generator, rotten: bool
) -> Image.Image | None:
    """A studio photograph of sound fruit with a patch of skin from another fruit of its kind.

    `others` are cut-outs, RGBA; of `rotten` ones a patch counts only if it has clearly less colour
    than what it covers. The picture comes back CANVAS pixels wide and high; None where the
    background is not white, or where no such patch is found.
    """
    image = image.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, reducing_gap=2.0)
    sound = np.asarray(image)
    outside = white_background(sound)
    if outside is None or not others:
        return None
    # The corners of a turned copy are black.
    fruit = ~outside & (sound.max(axis=2) > 16)
    colour = _colour(sound)
    rows, columns = np.nonzero(fruit)
    side = int(max(np.ptp(rows), np.ptp(columns))) + 1
    for _ in range(TRIES):
        other = _turned(others[int(rng.integers(len(others)))], side, rng)
        chosen = int(rng.integers(len(rows)))
        centre = (int(rows[chosen]), int(columns[chosen]))
        layer = _laid(other, centre, rng)
        place = _blotch(centre, side * rng.uniform(0.15, 0.5), rng)
        place &= fruit & (layer[..., 3] > 250)
        if place.sum() < LEAST_SHARE * fruit.sum():
            continue
        if rotten and _colour(layer)[place].mean() > PALER * colour[place].mean():
            continue
        share = soft(place)[..., None] * fruit[..., None]
        mixed = sound * (1 - share) + layer[..., :3] * share
        return Image.fromarray(mixed.astype(np.uint8))
    return None


def _colour(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """How far each pixel is from grey, 0 to 255."""
    rgb = pixels[..., :3].astype(np.int16)
    found: NDArray[np.int16] = rgb.max(axis=2) - rgb.min(axis=2)
    return found


def _turned(fruit: Image.Image, side: int, rng: Generator) -> Image.Image:
    """A cut-out at about the size of the other fruit, turned any way."""
    factor = side * rng.uniform(0.8, 1.3) / max(fruit.size)
    fruit = fruit.resize((int(fruit.width * factor) or 1, int(fruit.height * factor) or 1))
    return fruit.rotate(rng.uniform(0, 360), Image.Resampling.BILINEAR, expand=True)


def _laid(fruit: Image.Image, centre: tuple[int, int], rng: Generator) -> NDArray[np.uint8]:
    """Some inner point of the cut-out over `centre`: uint8 [CANVAS, CANVAS, 4]."""
    canvas = Image.new("RGBA", (CANVAS, CANVAS))
    across, down = rng.uniform(0.25, 0.75, 2) * fruit.size
    canvas.paste(fruit, (round(centre[1] - across), round(centre[0] - down)))
    return np.array(canvas)


def _blotch(centre: tuple[int, int], radius: float, rng: Generator) -> NDArray[np.bool_]:
    """An irregular patch, bool [CANVAS, CANVAS]."""
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    distance = np.hypot(rows - centre[0], columns - centre[1]) / radius
    coarse = Image.fromarray(rng.normal(0, 0.35, (8, 8)).astype(np.float32))
    uneven = np.asarray(coarse.resize((CANVAS, CANVAS), Image.Resampling.BICUBIC))
    inside: NDArray[np.bool_] = distance + uneven < 1
    return inside
