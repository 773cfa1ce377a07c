"""Augmentation: what a phone, a kitchen and a careless hand do to a photograph.

Each function takes a picture and a random generator and returns a picture. `augment` puts them
together; with the same generator state it gives the same pixels.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from api.core.imaging.preprocess import to_input
from api.training.background_augment import CANVAS, Around, replace_background

# From fruit that fill a third of the frame to close-ups that cut their edges off.
FURTHEST, NEAREST = 0.6, 1.5


@dataclass(frozen=True)
class Views:
    """How often a view is what: `clean_share` of them are only mirrored; of the rest,
    `background_share` get another background where theirs is white or paper, and `neighbour_share`
    other fruit around theirs.
    """

    clean_share: float
    background_share: float
    neighbour_share: float


def augment(
    image: Image.Image,
    size: int,
    rng: Generator,
    views: Views,
    around: Around | None = None,
) -> NDArray[np.uint8]:
    """One training view of `image`: uint8 [size, size, 3].

    `around` is what it may be put before and beside; without, backgrounds are made up.
    """
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    if rng.random() < views.clean_share:
        return to_input(image, size)
    image = image.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, reducing_gap=2.0)
    around = around or Around()
    beside = rng.random() < views.neighbour_share and bool(around.neighbours)
    replaced = rng.random() < views.background_share
    if replaced or beside:
        image = replace_background(image, rng, around, beside=beside, replaced=replaced)
    image = move(image, rng)
    image = corrupt(image, rng)
    return color_jitter(to_input(image, size), rng)


def move(image: Image.Image, rng: Generator) -> Image.Image:
    """Turn, scale, stretch and shift, filling what is uncovered with a varied colour."""
    chance = rng.random()
    if chance < 0.25:
        angle = rng.uniform(-np.pi, np.pi)
    elif chance < 0.75:
        angle = rng.normal(0, np.radians(15))
    else:
        angle = 0.0
    scale = np.exp(rng.uniform(np.log(FURTHEST), np.log(NEAREST)))
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
        fillcolor=_fill(image, rng),
    )


def _fill(image: Image.Image, rng: Generator) -> tuple[int, int, int]:
    kind = rng.integers(4)
    if kind == 0:
        return (0, 0, 0)
    if kind == 1:
        return (255, 255, 255)
    if kind == 2:
        colour = np.asarray(image)[[0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=0)
    else:
        colour = rng.uniform(0, 255, 3)
    return (int(colour[0]), int(colour[1]), int(colour[2]))


def corrupt(image: Image.Image, rng: Generator) -> Image.Image:
    """Blur, shrink, and save as a poor JPEG, each now and then."""
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
    """Another exposure, contrast, saturation, white balance, light fall-off and sensor noise."""
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
    kind = rng.random()
    if kind < 0.06:
        # Without colour, so that skin and shape count too.
        view = np.broadcast_to(view.mean(axis=2, keepdims=True), view.shape)
    elif kind < 0.4:
        view = view @ _hue_rotation(rng.uniform(-0.25, 0.25))
    if rng.random() < 0.25:
        ramp = np.linspace(rng.uniform(0.55, 1.0), 1.0, size, dtype=np.float32)
        view = view * np.rot90(np.broadcast_to(ramp, (size, size)), int(rng.integers(4)))[..., None]
    if rng.random() < 0.2:
        sigma = rng.uniform(0.005, 0.03)
        view = view + rng.standard_normal(view.shape, dtype=np.float32) * np.float32(sigma)
    out: NDArray[np.uint8] = (np.clip(view, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.1:
        speckled = rng.random((size, size))
        amount = rng.uniform(0.003, 0.02)
        out[speckled < amount] = 0
        out[speckled > 1 - amount] = 255
    return out


def _hue_rotation(angle: float) -> NDArray[np.float32]:
    """Turn colours about the grey axis by `angle` radians: float32 [3, 3], for row vectors."""
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
