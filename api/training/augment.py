"""Augmentation for photos taken with a phone: geometry, compression, light, colour and noise.

All randomness comes from the generator passed in: the same state gives the same pixels.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from api.core.imaging.resize import resize, to_input
from api.training.background_augment import CANVAS, SceneAssets, replace_background

# From fruit that fills a third of the frame to close-ups that crop its edges.
MIN_SCALE, MAX_SCALE = 0.6, 1.5


@dataclass(frozen=True)
class AugmentRates:
    """Probabilities, 0 to 1. `clean` views are only mirrored. Of the others, `background` get a
    new background (where theirs is white or paper) and `neighbours` other fruit at the edges."""

    clean: float
    background: float
    neighbours: float


def augment(
    image: Image.Image,
    size: int,
    rng: Generator,
    rates: AugmentRates,
    assets: SceneAssets | None = None,
) -> NDArray[np.uint8]:
    """One training view of `image`: uint8 [size, size, 3].

    Without `assets`, backgrounds are procedural and there are no neighbours.
    """
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    if rng.random() < rates.clean:
        return to_input(image, size)
    image = resize(image, CANVAS)
    assets = assets or SceneAssets()
    neighbours = rng.random() < rates.neighbours and bool(assets.cutouts)
    background = rng.random() < rates.background
    if background or neighbours:
        image = replace_background(image, rng, assets, background=background, neighbours=neighbours)
    image = random_affine(image, rng)
    image = corrupt(image, rng)
    return color_jitter(to_input(image, size), rng)


def random_affine(image: Image.Image, rng: Generator) -> Image.Image:
    """Rotate, scale, stretch and shift; uncovered pixels get a random fill colour."""
    chance = rng.random()
    if chance < 0.25:
        angle = rng.uniform(-np.pi, np.pi)
    elif chance < 0.75:
        angle = rng.normal(0, np.radians(15))
    else:
        angle = 0.0
    scale = np.exp(rng.uniform(np.log(MIN_SCALE), np.log(MAX_SCALE)))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = cos / (scale * stretch), sin / (scale * stretch)
    d, e = -sin * stretch / scale, cos * stretch / scale
    centre = CANVAS / 2
    shift = rng.uniform(-0.12, 0.12, 2) * CANVAS
    c = centre - a * (centre + shift[0]) - b * (centre + shift[1])
    f = centre - d * (centre + shift[0]) - e * (centre + shift[1])
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        (a, b, c, d, e, f),
        Image.Resampling.BILINEAR,
        fillcolor=_fill_colour(image, rng),
    )


def _fill_colour(image: Image.Image, rng: Generator) -> tuple[int, int, int]:
    """Black, white, the mean of the corners or a random colour."""
    choice = rng.integers(4)
    if choice == 0:
        return (0, 0, 0)
    if choice == 1:
        return (255, 255, 255)
    if choice == 2:
        colour = np.asarray(image)[[0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=0)
    else:
        colour = rng.uniform(0, 255, 3)
    return (int(colour[0]), int(colour[1]), int(colour[2]))


def corrupt(image: Image.Image, rng: Generator) -> Image.Image:
    """Blur, low resolution and JPEG artefacts, each with its own probability."""
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.1:
        side = int(rng.integers(72, 160))
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    if rng.random() < 0.25:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(25, 90)))
        image = Image.open(stream)
    return image


def color_jitter(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Jitter exposure, white balance, contrast, saturation and hue; add a light gradient, sensor
    noise and salt and pepper. uint8 [size, size, 3] in and out."""
    view = pixels.astype(np.float32) / 255.0
    size = view.shape[0]
    if rng.random() < 0.8:
        view = view ** np.float32(np.exp(rng.uniform(-0.25, 0.25)))
        view *= np.float32(rng.uniform(0.7, 1.15))
        view *= np.exp(rng.normal(0, 0.04, 3)).astype(np.float32)
        mean = view.mean(axis=(0, 1))
        view = mean + (view - mean) * np.float32(rng.uniform(0.8, 1.2))
        grey = view.mean(axis=2, keepdims=True)
        view = grey + (view - grey) * np.float32(rng.uniform(0.75, 1.25))
    chance = rng.random()
    if chance < 0.06:
        # Greyscale, so that texture and shape count too.
        view = np.broadcast_to(view.mean(axis=2, keepdims=True), view.shape)
    elif chance < 0.4:
        view = view @ _hue_rotation(rng.uniform(-0.25, 0.25))
    if rng.random() < 0.25:
        ramp = np.linspace(rng.uniform(0.55, 1.0), 1.0, size, dtype=np.float32)
        view = view * np.rot90(np.broadcast_to(ramp, (size, size)), int(rng.integers(4)))[..., None]
    if rng.random() < 0.2:
        sigma = rng.uniform(0.005, 0.03)
        view = view + rng.standard_normal(view.shape, dtype=np.float32) * np.float32(sigma)
    out: NDArray[np.uint8] = (np.clip(view, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.1:
        noise = rng.random((size, size))
        amount = rng.uniform(0.003, 0.02)
        out[noise < amount] = 0
        out[noise > 1 - amount] = 255
    return out


def _hue_rotation(angle: float) -> NDArray[np.float32]:
    """Rotation about the grey axis by `angle` radians: float32 [3, 3], for row vectors."""
    cos, sin = np.cos(angle), np.sin(angle)
    along = (1 - cos) / 3
    across = sin / np.sqrt(3)
    return np.array(
        [
            [cos + along, along + across, along - across],
            [along - across, cos + along, along + across],
            [along + across, along - across, cos + along],
        ],
        dtype=np.float32,
    )
