"""Lesion transplants: a patch of rotten skin on a sound fruit makes a rotten one.

Where a source has sound fruit alone, a network learns that the source is sound. With a patch of
another source's rot its fruit is rotten, and with a patch of sound skin it is what it was: so
neither the source nor the edge of a patch tells anything, and small lesions count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from api.training.background_augment import CANVAS, background_mask

# How often the patch of rot is from the same fruit; else from any.
SAME_KIND = 0.6
# Radius of a patch as a share of the square root of the fruit's area.
SMALLEST, LARGEST = 0.12, 0.5
# Of so many places on the donor one of the three that look least like sound fruit is taken.
PLACES, WORST = 8, 3
# A fruit of fewer pixels is too small to change.
LEAST_AREA = 400


@dataclass(frozen=True)
class Skin:
    """A fruit to take patches from or put them on: `pixels` uint8 [CANVAS, CANVAS, 3], `mask` bool
    [CANVAS, CANVAS] well inside the fruit."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, image: Image.Image) -> "Skin":
        pixels = np.asarray(
            image.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, reducing_gap=2.0)
        )
        outside = background_mask(pixels)
        inside = _middle() if outside is None else ~outside
        return cls(pixels, ndimage.binary_erosion(inside, iterations=6))

    @property
    def usable(self) -> bool:
        return int(self.mask.sum()) >= LEAST_AREA


class Donors:
    """Skin by kind of fruit ("" for other produce) and by whether it is rotten."""

    def __init__(self, skins: Mapping[tuple[str, bool], Sequence[Skin]]) -> None:
        self._skins = {key: [skin for skin in found if skin.usable] for key, found in skins.items()}
        self._rotten = [
            (kind, skin)
            for (kind, rotten), found in self._skins.items()
            if rotten
            for skin in found
        ]
        self._sound = {
            kind: np.mean([skin.pixels[skin.mask].mean(axis=0) for skin in found], axis=0)
            for (kind, rotten), found in self._skins.items()
            if found and not rotten
        }

    def with_lesion(self, image: Image.Image, kind: str, rng: Generator) -> Image.Image | None:
        """`image` with a patch of rotten skin, CANVAS a side; None where there is none to take."""
        own = [(kind, skin) for skin in self._skins.get((kind, True), ())]
        pool = own if own and rng.random() < SAME_KIND else self._rotten
        if not pool:
            return None
        of, donor = pool[int(rng.integers(len(pool)))]
        return _transplant(Skin.of(image), donor, rng, self._sound.get(of))

    def with_sound_patch(self, image: Image.Image, kind: str, rng: Generator) -> Image.Image | None:
        """`image` with a patch of sound skin of the same kind; None where there is none."""
        pool = self._skins.get((kind, False), ())
        if not pool:
            return None
        return _transplant(Skin.of(image), pool[int(rng.integers(len(pool)))], rng, None)


def _transplant(
    onto: Skin, donor: Skin, rng: Generator, sound: NDArray[np.float64] | None
) -> Image.Image | None:
    """A blob of the donor's skin on the other; `sound` is the mean colour that rot differs from."""
    if not onto.usable:
        return None
    share = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    radius = int(np.clip(np.sqrt(onto.mask.sum()) * share, 7, 90))
    taken = _patch(donor, int(np.clip(radius * np.exp(rng.uniform(-0.5, 0.5)), 4, 90)), rng, sound)
    if taken is None:
        return None
    side = 2 * radius + 1
    patch = Image.fromarray(taken).resize((side, side), Image.Resampling.BILINEAR)
    patch = patch.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
    inside = np.argwhere(onto.mask)
    y, x = inside[rng.integers(len(inside))]
    top, bottom = max(0, y - radius), min(CANVAS, y + radius + 1)
    left, right = max(0, x - radius), min(CANVAS, x + radius + 1)
    cut = (
        slice(top - y + radius, bottom - y + radius),
        slice(left - x + radius, right - x + radius),
    )
    place = (slice(top, bottom), slice(left, right))
    within = ndimage.uniform_filter(onto.mask.astype(np.float32), 5)[place]
    alpha = (_blob(radius, rng)[cut] * within)[..., None]
    out = onto.pixels.astype(np.float32)
    # Light and shade of the place stay.
    light = out[place].mean(axis=2, keepdims=True)
    light = np.clip(light / max(float(light.mean()), 1.0), 0.6, 1.4)
    out[place] = out[place] * (1 - alpha) + np.asarray(patch, np.float32)[cut] * light * alpha
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _patch(
    donor: Skin, radius: int, rng: Generator, sound: NDArray[np.float64] | None
) -> NDArray[np.uint8] | None:
    """A square of the donor, nearly all of it skin; None where it has no room for one."""
    inside = np.argwhere(donor.mask)
    found: list[tuple[float, NDArray[np.uint8]]] = []
    for _ in range(PLACES):
        y, x = inside[rng.integers(len(inside))]
        place = (
            slice(max(0, y - radius), y + radius + 1),
            slice(max(0, x - radius), x + radius + 1),
        )
        skin = donor.mask[place]
        if skin.mean() < 0.8:
            continue
        pixels = donor.pixels[place]
        differs = 0.0 if sound is None else float(np.linalg.norm(pixels[skin].mean(0) - sound))
        found.append((differs, pixels))
    found.sort(key=lambda one: -one[0])
    return found[int(rng.integers(min(WORST, len(found))))][1] if found else None


def _blob(radius: int, rng: Generator) -> NDArray[np.float32]:
    """An uneven disc with a soft edge: float32 [2 radius + 1, 2 radius + 1], 0..1."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    angle, distance = np.arctan2(y, x), np.hypot(y, x) / radius
    edge = np.full(angle.shape, 0.75)
    for waves in (1, 2, 3, 5):
        edge += rng.uniform(0, 0.12) * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    blob: NDArray[np.float32] = np.clip((edge - distance) / rng.uniform(0.15, 0.6) + 0.5, 0, 1)
    return blob.astype(np.float32)


def _middle() -> NDArray[np.bool_]:
    """A disc in the middle, for a photograph whose background cannot be told from the fruit."""
    y, x = np.mgrid[:CANVAS, :CANVAS] - CANVAS / 2
    disc: NDArray[np.bool_] = np.hypot(y, x) < CANVAS / 3
    return disc
