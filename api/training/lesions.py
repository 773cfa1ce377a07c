"""Lesion transplants: paste a patch of rotten skin on sound fruit, and label it rotten.

Where a source has only sound fruit, a network learns that the source is sound. Rot transplanted
from another source breaks that, and makes small lesions count. Patches of sound skin, which leave
the label unchanged, keep the edge of a patch from becoming the cue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from api.core.imaging.resize import to_input
from api.training.background_augment import CANVAS, background_mask

# Probability that a lesion comes from the same kind of fruit; otherwise from any.
SAME_KIND = 0.6
# Patch radius as a share of the square root of the fruit's area.
MIN_RADIUS, MAX_RADIUS = 0.12, 0.5
# Of CANDIDATES places on the donor, one of the TOP that differ most from sound fruit is chosen.
CANDIDATES, TOP = 8, 3
# Fruit with a smaller mask, in pixels, is left alone.
MIN_AREA = 400


@dataclass(frozen=True)
class Skin:
    """A fruit to take patches from or paste them on: `pixels` uint8 [CANVAS, CANVAS, 3], `mask`
    bool [CANVAS, CANVAS] well inside the fruit."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, image: Image.Image) -> "Skin":
        pixels = to_input(image, CANVAS)
        outside = background_mask(pixels)
        inside = _centre_disc() if outside is None else ~outside
        return cls(pixels, ndimage.binary_erosion(inside, iterations=6))

    @property
    def usable(self) -> bool:
        return int(self.mask.sum()) >= MIN_AREA


class SkinBank:
    """Donor skins by kind of fruit ("" for other produce) and whether they are rotten."""

    def __init__(self, skins: Mapping[tuple[str, bool], Sequence[Skin]]) -> None:
        self._skins = {key: [skin for skin in group if skin.usable] for key, group in skins.items()}
        self._rotten = [
            (kind, skin)
            for (kind, rotten), group in self._skins.items()
            if rotten
            for skin in group
        ]
        self._sound_colour = {
            kind: np.mean([skin.pixels[skin.mask].mean(axis=0) for skin in group], axis=0)
            for (kind, rotten), group in self._skins.items()
            if group and not rotten
        }

    def with_lesion(self, image: Image.Image, kind: str, rng: Generator) -> Image.Image | None:
        """`image` with a rotten patch, CANVAS a side; None without a donor or room for it."""
        same_kind = [(kind, skin) for skin in self._skins.get((kind, True), ())]
        pool = same_kind if same_kind and rng.random() < SAME_KIND else self._rotten
        if not pool:
            return None
        donor_kind, donor = pool[int(rng.integers(len(pool)))]
        return _transplant(Skin.of(image), donor, rng, self._sound_colour.get(donor_kind))

    def with_sound_patch(self, image: Image.Image, kind: str, rng: Generator) -> Image.Image | None:
        """`image` with a sound patch of its own kind; None without a donor or room for it."""
        pool = self._skins.get((kind, False), ())
        if not pool:
            return None
        return _transplant(Skin.of(image), pool[int(rng.integers(len(pool)))], rng, None)


def _transplant(
    target: Skin, donor: Skin, rng: Generator, sound_colour: NDArray[np.float64] | None
) -> Image.Image | None:
    """Blend a blob of the donor's skin into the target; see `_patch` for `sound_colour`."""
    if not target.usable:
        return None
    share = np.exp(rng.uniform(np.log(MIN_RADIUS), np.log(MAX_RADIUS)))
    radius = int(np.clip(np.sqrt(target.mask.sum()) * share, 7, 90))
    donor_radius = int(np.clip(radius * np.exp(rng.uniform(-0.5, 0.5)), 4, 90))
    pixels = _patch(donor, donor_radius, rng, sound_colour)
    if pixels is None:
        return None
    side = 2 * radius + 1
    patch = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR)
    patch = patch.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
    inside = np.argwhere(target.mask)
    y, x = inside[rng.integers(len(inside))]
    top, bottom = max(0, y - radius), min(CANVAS, y + radius + 1)
    left, right = max(0, x - radius), min(CANVAS, x + radius + 1)
    place = np.s_[top:bottom, left:right]
    in_patch = np.s_[top - y + radius : bottom - y + radius, left - x + radius : right - x + radius]
    on_fruit = ndimage.uniform_filter(target.mask.astype(np.float32), 5)[place]
    alpha = (_blob(radius, rng)[in_patch] * on_fruit)[..., None]
    out = target.pixels.astype(np.float32)
    # Keeps the shading of the place.
    light = out[place].mean(axis=2, keepdims=True)
    light = np.clip(light / max(float(light.mean()), 1.0), 0.6, 1.4)
    out[place] = out[place] * (1 - alpha) + np.asarray(patch, np.float32)[in_patch] * light * alpha
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _patch(
    donor: Skin, radius: int, rng: Generator, sound_colour: NDArray[np.float64] | None
) -> NDArray[np.uint8] | None:
    """A square of the donor that is at least 80 % skin and far from `sound_colour`, the mean RGB
    of sound fruit of its kind; None where no candidate qualifies."""
    inside = np.argwhere(donor.mask)
    candidates: list[tuple[float, NDArray[np.uint8]]] = []
    for _ in range(CANDIDATES):
        y, x = inside[rng.integers(len(inside))]
        place = np.s_[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        skin = donor.mask[place]
        if skin.mean() < 0.8:
            continue
        pixels = donor.pixels[place]
        colour = pixels[skin].mean(0)
        distance = 0.0 if sound_colour is None else float(np.linalg.norm(colour - sound_colour))
        candidates.append((distance, pixels))
    if not candidates:
        return None
    candidates.sort(key=lambda candidate: -candidate[0])
    return candidates[int(rng.integers(min(TOP, len(candidates))))][1]


def _blob(radius: int, rng: Generator) -> NDArray[np.float32]:
    """An uneven disc with a soft edge: float32 [2 radius + 1, 2 radius + 1], 0 to 1."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    angle, distance = np.arctan2(y, x), np.hypot(y, x) / radius
    edge = np.full(angle.shape, 0.75)
    for waves in (1, 2, 3, 5):
        edge += rng.uniform(0, 0.12) * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    blob: NDArray[np.float32] = np.clip((edge - distance) / rng.uniform(0.15, 0.6) + 0.5, 0, 1)
    return blob.astype(np.float32)


def _centre_disc() -> NDArray[np.bool_]:
    """Stands in for the fruit if the background cannot be told from it: bool [CANVAS, CANVAS]."""
    y, x = np.mgrid[:CANVAS, :CANVAS] - CANVAS / 2
    disc: NDArray[np.bool_] = np.hypot(y, x) < CANVAS / 3
    return disc
