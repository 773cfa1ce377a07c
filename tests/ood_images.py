"""Drawn images that are not fruit."""

import numpy as np
from PIL import Image

from tests.synthetic_images import draw_fruit

OOD_KINDS = ("rings", "squares", "stripes")


def draw_ood(kind: str, seed: int, size: int = 120) -> Image.Image:
    """An image of one of `OOD_KINDS`; `seed` determines colours, count, angle and position."""
    random = np.random.default_rng([seed, *kind.encode()])
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    angle = random.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle) + random.uniform(-0.2, 0.2)
    across = y * np.cos(angle) - x * np.sin(angle) + random.uniform(-0.2, 0.2)
    times = random.uniform(4, 8)
    pattern = {
        "rings": np.sin(2 * np.pi * times * np.hypot(along, across)),
        "squares": np.sign(np.sin(np.pi * times * along) * np.sin(np.pi * times * across)),
        "stripes": np.sign(np.sin(2 * np.pi * times * along)),
    }[kind]
    light, dark = random.uniform(130, 250, 3), random.uniform(0, 120, 3)
    pixels = np.where(pattern[..., None] > 0, light, dark) + random.normal(0, 5, (size, size, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def draw_distinct_ood(kind: str, seed: int) -> Image.Image:
    """With a fruit in front, since patterns alone count as shifted copies of each other."""
    image = draw_ood(kind, seed)
    front = draw_fruit("freshbanana", seed=seed, size=image.width // 2)
    image.paste(front, (seed % 3 * image.width // 4, seed // 3 % 3 * image.height // 4))
    return image
