"""Scenes to train and measure a detector on: photos with boxes, and composed ones.

Composed scenes are cut-out fruits on other backgrounds: D. Dwibedi et al., "Cut, Paste and Learn",
2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from scipy import ndimage

from api.core.arrays import FloatArray
from api.core.boxes import areas
from api.training.background_augment import procedural_background
from api.training.detection.cutouts import NONE, Cutout
from api.training.detection.targets import Scene, as_boxes

# A fruit that is less visible than this need not be found, nor be learned as background.
LEAST_VISIBLE = 0.4


@dataclass(frozen=True)
class Composer:
    """Composes scenes of `side` by `side` pixels from `fruits`, `clutter` and `backgrounds`
    (photos without fruit)."""

    fruits: Sequence[Cutout]
    clutter: Sequence[Cutout]
    backgrounds: Sequence[Image.Image]
    side: int

    def compose(self, rng: Generator) -> Scene:
        """One to nine fruits, and perhaps clutter."""
        count = int(rng.integers(1, 10))
        chosen = [self.fruits[int(k)] for k in rng.integers(len(self.fruits), size=count)]
        if rng.random() < 0.35:  # A crate of one kind.
            same = [fruit for fruit in self.fruits if fruit.kind == chosen[0].kind]
            chosen = [same[int(k)] for k in rng.integers(len(same), size=count)]
        if self.clutter and rng.random() < 0.5:
            more = rng.integers(len(self.clutter), size=int(rng.integers(1, 4)))
            chosen += [self.clutter[int(k)] for k in more]
        order = rng.permutation(len(chosen))
        return self.arrange([chosen[int(k)] for k in order], rng)

    def arrange(self, things: Sequence[Cutout], rng: Generator, apart: bool = False) -> Scene:
        """A scene of these things, on a grid or anywhere, more or less close together. With
        `apart`, they are side by side and all visible."""
        stretch = np.exp(rng.uniform(-0.3, 0.3) / 2)
        width, height = round(self.side * stretch), round(self.side / stretch)
        scene = self.background(rng, (width, height))
        places, size = _on_grid(len(things), rng, 0.9) if apart else _places(len(things), rng)
        owner = np.zeros((height, width), np.uint8)
        whole = []
        light = rng.uniform(-1, 1, 2)
        for number, (thing, place) in enumerate(zip(things, places, strict=True), start=1):
            side = size * self.side * np.exp(rng.normal(0, 0.12))
            image = _turned(thing.image, max(8.0, side), rng)
            x = round(place[0] * width - image.width / 2)
            y = round(place[1] * height - image.height / 2)
            _paste(scene, image, (x, y), light, rng)
            whole.append(_claim(owner, image, (x, y), number))
        boxes, kinds, ignored = [], [], []
        shares = (width, height, width, height)
        for number, place in enumerate(ndimage.find_objects(owner, len(things)), start=1):
            kind = things[number - 1].kind
            if place is None or kind == NONE:
                continue
            rows, columns = place
            corners = (columns.start, rows.start, columns.stop, rows.stop)
            box = [value / share for value, share in zip(corners, shares, strict=True)]
            visible = (owner[place] == number).sum() / max(whole[number - 1], 1)
            if visible < LEAST_VISIBLE:
                ignored.append(box)
            else:
                boxes.append(box)
                kinds.append(kind)
        return Scene(scene, as_boxes(boxes), kinds, as_boxes(ignored))

    def background(self, rng: Generator, size: tuple[int, int]) -> Image.Image:
        """A part of a photo without fruit, a drawn surface, or one colour."""
        chance = rng.random()
        if chance < 0.4 and self.backgrounds:
            photo = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
            return random_part(photo, rng, 0.4).resize(size, Image.Resampling.BILINEAR)
        if chance < 0.75:
            drawn = procedural_background(rng).astype(np.uint8)
            return Image.fromarray(drawn).resize(size, Image.Resampling.BILINEAR)
        level = int(rng.integers(150, 256)) if chance < 0.95 else int(rng.integers(0, 256))
        tint = np.clip(level + rng.normal(0, 6, 3), 0, 255).astype(int).tolist()
        return Image.new("RGB", size, tuple(tint))


def random_part(image: Image.Image, rng: Generator, least: float) -> Image.Image:
    """A random part whose sides are at least the share `least` of the image's."""
    width, height = (max(1, int(side * rng.uniform(least, 1))) for side in image.size)
    x = int(rng.integers(image.width - width + 1))
    y = int(rng.integers(image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def random_view(scene: Scene, rng: Generator, least: float, most: float) -> Scene:
    """A part of the scene, or the scene with a border, perhaps mirrored: the view is `least` to
    `most` times as wide and high."""
    width, height = scene.image.size
    seen = np.exp(rng.uniform(np.log(least), np.log(most)))
    across, down = seen * np.exp(rng.uniform(-0.15, 0.15)), seen * np.exp(rng.uniform(-0.15, 0.15))
    left, top = (
        rng.uniform(min(0, 1 - across), max(0, 1 - across)),
        rng.uniform(min(0, 1 - down), max(0, 1 - down)),
    )
    view = scene.image.transform(
        scene.image.size,
        Image.Transform.AFFINE,
        (across, 0, left * width, 0, down, top * height),
        Image.Resampling.BILINEAR,
        fillcolor=tuple(int(value) for value in rng.integers(0, 256, 3)),
    )
    start, scale = np.array([left, top] * 2, np.float32), np.array([across, down] * 2, np.float32)
    moved = (scene.boxes - start) / scale
    clipped = np.clip(moved, 0, 1)
    visible = areas(clipped) / np.maximum(areas(moved), 1e-9)
    ignored = np.clip((scene.ignored - start) / scale, 0, 1)
    kept = visible >= LEAST_VISIBLE
    ignored = np.concatenate([ignored, clipped[~kept & (visible > 0)]])
    kinds = [kind for kind, keep in zip(scene.kinds, kept, strict=True) if keep]
    result = Scene(view, clipped[kept], kinds, ignored, scene.complete)
    return mirrored(result) if rng.random() < 0.5 else result


def mirrored(scene: Scene) -> Scene:
    def flip(boxes: FloatArray) -> FloatArray:
        flipped = boxes.copy()
        flipped[:, [0, 2]] = 1 - boxes[:, [2, 0]]
        return flipped

    return Scene(
        ImageOps.mirror(scene.image),
        flip(scene.boxes),
        scene.kinds,
        flip(scene.ignored),
        scene.complete,
    )


def _places(count: int, rng: Generator) -> tuple[NDArray[np.float64], float]:
    """Middles [count, 2] in shares of the sides, and the size of a thing as a share."""
    if rng.random() < 0.35 and count > 1:
        return _on_grid(count, rng, 1.2)
    if count == 1:
        return rng.uniform(0.3, 0.7, (1, 2)), float(rng.uniform(0.15, 0.95))
    size = float(rng.uniform(0.45, 1.05)) / np.sqrt(count)
    # Each takes the candidate farthest from those before it; fewer tries bring them closer.
    tries = int(rng.choice([2, 5, 15]))
    low, high = min(size * 0.4, 0.4), max(1 - size * 0.4, 0.6)
    places = [rng.uniform(low, high, 2)]
    while len(places) < count:
        candidates = rng.uniform(low, high, (tries, 2))
        nearest = np.linalg.norm(candidates[:, None] - np.array(places)[None], axis=2).min(axis=1)
        places.append(candidates[int(nearest.argmax())])
    return np.array(places), size


def _on_grid(count: int, rng: Generator, most: float) -> tuple[NDArray[np.float64], float]:
    """As `_places`, at most one in each cell, at most `most` times as large as a cell."""
    columns = int(np.ceil(np.sqrt(count * rng.uniform(0.6, 1.6))))
    rows = -(-count // columns)
    cells = rng.permutation(rows * columns)[:count]
    places = np.stack([cells % columns + 0.5, cells // columns + 0.5], axis=1)
    places = places / (columns, rows) + rng.normal(0, 0.02, (count, 2))
    return places, float(rng.uniform(0.7, most)) / max(rows, columns)


def _turned(image: Image.Image, side: float, rng: Generator) -> Image.Image:
    """The cut-out at about `side` pixels, turned, mirrored, lighter or darker."""
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    factor = side / max(image.size)
    width, height = (max(2, round(length * factor)) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    image = image.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, expand=True)
    gain = np.append(rng.uniform(0.75, 1.15) * np.exp(rng.normal(0, 0.03, 3)), 1.0)
    table = np.clip(np.arange(256)[None] * gain[:, None], 0, 255).astype(np.uint8)
    return image.point(table.ravel().tolist())


def _paste(
    scene: Image.Image,
    image: Image.Image,
    place: tuple[int, int],
    light: NDArray[np.float64],
    rng: Generator,
) -> None:
    """Paste with a soft shadow on the side away from `light`."""
    alpha = image.getchannel("A")
    if rng.random() < 0.7:
        reach = max(image.size) * 0.08
        soft = ImageOps.expand(alpha, border=round(2 * reach))
        depth = rng.uniform(0.2, 0.65)
        soft = soft.filter(ImageFilter.BoxBlur(reach)).point(lambda value: value * depth)
        x = place[0] - round(2 * reach) + round(light[0] * reach)
        y = place[1] - round(2 * reach) + round(light[1] * reach)
        scene.paste((0, 0, 0), (x, y), soft)
    scene.paste(image, place, alpha)


def _claim(
    owner: NDArray[np.uint8], image: Image.Image, place: tuple[int, int], number: int
) -> int:
    """Mark the thing's pixels in `owner`; returns how many it has, even outside the scene."""
    solid = np.asarray(image.getchannel("A")) > 127
    x, y = place
    height, width = owner.shape
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + image.width), min(height, y + image.height)
    if left < right and top < bottom:
        part = owner[top:bottom, left:right]
        part[solid[top - y : bottom - y, left - x : right - x]] = number
    return int(solid.sum())
