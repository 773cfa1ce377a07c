"""Appearance statistics of an image: brightness, saturation and hue."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

# A pixel with all channels above this is white studio background.
BACKGROUND = 232
SIDE = 64


@dataclass(frozen=True)
class Appearance:
    """Means over the pixels that are not white background.

    `brightness` and `saturation` 0..1; `hue` in degrees (0 red, 60 yellow, 120 green) of the mean
    colour vector, so that 359 and 1 average to 0.
    """

    brightness: float
    saturation: float
    hue: float


def appearance(image: Image.Image) -> Appearance:
    """The appearance of an RGB image; an all-white image counts as foreground."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(small, np.float64).reshape(-1, 3)
    fruit = pixels[pixels.min(axis=1) <= BACKGROUND]
    red, green, blue = (fruit if len(fruit) else pixels).T / 255
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    # Luma of ITU-R BT.601; saturation of the HSV cone; hue on the plane across the grey axis.
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    saturation = (highest - lowest) / np.maximum(highest, 1e-9)
    across = np.mean(np.sqrt(3) / 2 * (green - blue))
    along = np.mean(red - (green + blue) / 2)
    return Appearance(
        brightness=float(luma.mean()),
        saturation=float(saturation.mean()),
        hue=float(np.degrees(np.arctan2(across, along)) % 360),
    )
