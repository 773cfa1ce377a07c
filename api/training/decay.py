"""Simulated decay: mould, browning and shrivelling drawn on sound fruit, then labelled rotten.

A collection shows few of the ways in which fruit decays: one has mouldy oranges, the next collapsed
ones. The missing ways are drawn here. Harmless marks (a shadow, a reflection, a sticker), which
leave the label unchanged, keep any change of the skin from becoming the cue.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from api.core.imaging.resize import to_input
from api.training.background_augment import CANVAS, background_mask

# Images are float32 [CANVAS, CANVAS, 3] from 0 to 255, masks float32 [CANVAS, CANVAS] from 0 to 1.
Pixels = NDArray[np.float32]

# Fruit with a smaller mask, in pixels, is left alone.
MIN_AREA = 400
# Radius of the disc that stands in for the fruit where there is no plain background.
DISC = CANVAS * 0.4
# Probability of a second way of decay.
SECOND_WAY = 0.4
# Colours of decayed skin, from tan to black, and of mould: white, grey, blue to green, black. RGB.
SKIN = np.array(
    [(176, 124, 72), (150, 80, 34), (124, 54, 24), (90, 50, 30), (56, 38, 28), (30, 26, 26)],
    np.float32,
)
MOULD = np.array(
    [
        (236, 236, 230),
        (186, 190, 186),
        (140, 178, 186),
        (104, 146, 146),
        (132, 150, 110),
        (104, 112, 72),
        (60, 62, 58),
    ],
    np.float32,
)


def with_decay(image: Image.Image, rng: Generator) -> Image.Image | None:
    """`image` with its fruit decayed in one or two ways, CANVAS a side; None without fruit."""
    pixels, fruit = _fruit(image)
    if fruit.sum() < MIN_AREA:
        return None
    ways = (_mould, _brown, _shrivel)
    first, second = rng.permutation(len(ways))[:2]
    pixels = ways[first](pixels, fruit, rng)
    if rng.random() < SECOND_WAY:
        pixels = ways[second](pixels, fruit, rng)
    return _image(pixels)


def with_harmless_mark(image: Image.Image, rng: Generator) -> Image.Image | None:
    """`image` with a shadow, a reflection or a sticker on its fruit, CANVAS a side; None without
    fruit."""
    pixels, fruit = _fruit(image)
    if fruit.sum() < MIN_AREA:
        return None
    marks = (_shadow, _reflection, _sticker)
    return _image(marks[int(rng.integers(len(marks)))](pixels, fruit, rng))


def _mould(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    """Colonies that spread from one to three places: coloured in the middle, pale at the margin,
    in a halo of decayed skin."""
    field = rng.uniform(0.1, 1.0) * _noise(rng, octaves=4)
    for _ in range(int(rng.integers(1, 4))):
        field = field + rng.uniform(0.5, 2.0) * _hill(fruit, rng)
    field = (field / field.std()).astype(np.float32)
    coverage = np.exp(rng.uniform(np.log(0.08), np.log(0.95)))
    edge = np.exp(rng.uniform(np.log(0.05), np.log(0.8)))
    colony = _region(field, fruit, coverage, edge)
    middle = _region(field, fruit, coverage * rng.uniform(0.0, 0.9), edge)
    light = _light(pixels, fruit)
    halo = ndimage.uniform_filter(colony, 21) * np.float32(rng.uniform(0, 0.7))
    pixels = _blend(pixels, _colour(SKIN[:4], rng) * light, halo)
    fur = _blend(_colour(MOULD[:2], rng) * light, _colour(MOULD, rng) * light, middle)
    fur = fur * (1 + np.float32(rng.uniform(0.01, 0.12)) * _grain(rng))[..., None]
    density = rng.uniform(0.7, 1.0) + rng.uniform(0.0, 0.25) * _grain(rng)
    return _blend(pixels, fur, colony * np.clip(density, 0.2, 1).astype(np.float32))


def _brown(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    """Brown or black skin, mottled, on a quarter of the fruit or more."""
    coverage, edge = rng.uniform(0.25, 1.1), rng.uniform(0.03, 0.5)
    place = fruit
    if coverage < 1:
        place = _region(_noise(rng, octaves=int(rng.integers(1, 4))), fruit, coverage, edge)
    mottled = 1 + np.float32(rng.uniform(0.05, 0.3)) * _noise(rng, octaves=3)
    skin = _colour(SKIN, rng) * _light(pixels, fruit) * mottled[..., None]
    return _blend(pixels, skin, place * np.float32(rng.uniform(0.5, 0.95)))


def _shrivel(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    """Dents that move the outline by up to 16 pixels, wrinkles, and duller skin."""
    furthest = rng.uniform(5, 16)
    dents = np.stack([_noise(rng, octaves=2) for _ in range(2)])
    grid = np.mgrid[:CANVAS, :CANVAS] + furthest * dents / np.abs(dents).max()
    channels = (*np.moveaxis(pixels, 2, 0), fruit)
    *moved, fruit = (
        ndimage.map_coordinates(one, grid, order=1, mode="nearest") for one in channels
    )
    pixels = np.stack(moved, axis=-1)
    width = rng.uniform(2.0, 5.0)
    ridges = ndimage.gaussian_filter(rng.standard_normal((CANVAS, CANVAS)), (width, width * 2.5))
    ridges = ndimage.rotate(ridges, rng.uniform(0, 180), reshape=False, order=1, mode="wrap")
    ridges = -np.abs(ridges)
    slope = ndimage.sobel(ridges, axis=0) + ndimage.sobel(ridges, axis=1)
    depth = rng.uniform(0.04, 0.2) * fruit * np.clip(0.8 + 0.4 * _noise(rng, octaves=1), 0, 1)
    wrinkles = 1 + depth * np.clip(slope / slope.std(), -2, 2)
    pixels = pixels * wrinkles.astype(np.float32)[..., None]
    dull = _colour(SKIN[:3], rng) * _light(pixels, fruit)
    return _blend(pixels, dull, fruit * np.float32(rng.uniform(0, 0.4)))


def _shadow(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    place = _region(_noise(rng, octaves=1), fruit, rng.uniform(0.2, 0.6), rng.uniform(0.2, 1.0))
    return pixels * (1 - place * np.float32(rng.uniform(0.15, 0.5)))[..., None]


def _reflection(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    place = _disc(fruit, rng, rng.uniform(0.04, 0.2), edge=rng.uniform(0.3, 1.0))
    white = np.full(3, 255, np.float32)
    return _blend(pixels, white, place * np.float32(rng.uniform(0.4, 1.0)))


def _sticker(pixels: Pixels, fruit: Pixels, rng: Generator) -> Pixels:
    place = _disc(fruit, rng, rng.uniform(0.08, 0.2), edge=0.1)
    colour = rng.uniform(0, 255, 3).astype(np.float32)
    return _blend(pixels, colour * _light(pixels, fruit), place)


def _fruit(image: Image.Image) -> tuple[Pixels, Pixels]:
    """The pixels, and where the fruit is: a disc in the middle if the background is not plain."""
    pixels = to_input(image, CANVAS)
    outside = background_mask(pixels)
    if outside is None:
        y, x = np.mgrid[:CANVAS, :CANVAS] - CANVAS / 2
        inside = np.hypot(y, x) < DISC
    else:
        inside = ndimage.binary_erosion(~outside, iterations=2)
    return pixels.astype(np.float32), ndimage.uniform_filter(inside.astype(np.float32), 7)


def _blend(under: Pixels, over: Pixels, share: Pixels) -> Pixels:
    mixed: Pixels = (under + (over - under) * share[..., None]).astype(np.float32)
    return mixed


def _light(pixels: Pixels, fruit: Pixels) -> Pixels:
    """Brightness relative to the fruit's mean: float32 [CANVAS, CANVAS, 1], 0.45 to 1.35."""
    grey = ndimage.uniform_filter(pixels.mean(axis=2), 9)
    mean = max(float((grey * fruit).sum() / fruit.sum()), 1.0)
    light: Pixels = np.clip(grey / mean, 0.45, 1.35).astype(np.float32)[..., None]
    return light


def _region(field: Pixels, fruit: Pixels, coverage: float, edge: float) -> Pixels:
    """Where the field is highest, over `coverage` of the fruit; `edge` in units of the field."""
    threshold = np.quantile(field[fruit > 0.5], max(0.0, 1 - coverage))
    region: Pixels = np.clip((field - np.float32(threshold)) / np.float32(edge) + 0.5, 0, 1) * fruit
    return region


def _noise(rng: Generator, octaves: int) -> Pixels:
    """Smooth noise, float32 [CANVAS, CANVAS], mean 0, deviation 1; more octaves make it rougher."""
    total = np.zeros((CANVAS, CANVAS), np.float32)
    cells = int(rng.integers(2, 5))
    for octave in range(octaves):
        side = cells * 2 ** (octave * 3 // 2) + 1
        coarse = Image.fromarray(rng.standard_normal((side, side), np.float32))
        total += np.asarray(coarse.resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)) * 0.5**octave
    noise: Pixels = (total - total.mean()) / total.std()
    return noise


def _grain(rng: Generator) -> Pixels:
    """Fine noise, float32 [CANVAS, CANVAS], mean 0, deviation 1."""
    grain = ndimage.uniform_filter(rng.standard_normal((CANVAS, CANVAS), np.float32), 2)
    unit: Pixels = grain / grain.std()
    return unit


def _hill(fruit: Pixels, rng: Generator) -> Pixels:
    """A hill with its top somewhere on the fruit: float32 [CANVAS, CANVAS], 0 to 1."""
    y, x = _place(fruit, rng)
    width = np.sqrt(fruit.sum()) * rng.uniform(0.15, 0.6)
    rows, columns = np.ogrid[:CANVAS, :CANVAS]
    hill: Pixels = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2))
    return hill.astype(np.float32)


def _disc(fruit: Pixels, rng: Generator, size: float, edge: float) -> Pixels:
    """An ellipse somewhere on the fruit: its radius as a share of the square root of the fruit's
    area, its `edge` as a share of the radius."""
    y, x = _place(fruit, rng)
    radius, stretch = np.sqrt(fruit.sum()) * size, rng.uniform(0.6, 1.6)
    rows, columns = np.ogrid[:CANVAS, :CANVAS]
    distance = np.hypot((rows - y) * stretch, (columns - x) / stretch) / radius
    disc: Pixels = (np.clip((1 - distance) / edge, 0, 1) * fruit).astype(np.float32)
    return disc


def _place(fruit: Pixels, rng: Generator) -> tuple[int, int]:
    """Row and column of a pixel of the fruit."""
    inside = np.argwhere(fruit > 0.5)
    y, x = inside[rng.integers(len(inside))]
    return int(y), int(x)


def _colour(palette: Pixels, rng: Generator) -> Pixels:
    """A colour between two neighbours of the palette, slightly varied: float32 [3]."""
    last = len(palette) - 1
    place = rng.uniform(0, last)
    low = int(place)
    mixed = palette[low] + (palette[min(low + 1, last)] - palette[low]) * (place - low)
    colour: Pixels = (mixed * np.exp(rng.normal(0, 0.06, 3))).astype(np.float32)
    return colour


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
