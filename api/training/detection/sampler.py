"""Draws the scenes of a training from a corpus, each with its target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from api.core.boxes import overlaps
from api.core.imaging.decode import decode
from api.core.imaging.resize import resize, to_input
from api.core.labels import read_label
from api.core.splits import Split
from api.training.augment import color_jitter, corrupt
from api.training.background_augment import CANVAS, background_mask, segment
from api.training.bounding_boxes import Box
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.scenes import (
    NO_BOXES,
    NONE,
    Composer,
    Cutout,
    as_boxes,
    random_part,
    random_view,
)
from api.training.detection.targets import Scene, make_target
from api.training.samples import load_image

_Item = TypeVar("_Item")
# Longest side of a photo in memory.
KEPT_SIDE = 400
# A cut-out that is fuller than a disc's square was not cut out.
MIN_FILL, MAX_FILL = 0.25, 0.93


@dataclass(frozen=True)
class Material:
    """What scenes are made of: `boxed` and `single` scenes, cut-outs, photos without fruit."""

    fruits: tuple[str, ...]
    boxed: list[Scene] = field(default_factory=list)
    single: list[Scene] = field(default_factory=list)
    cutouts: list[Cutout] = field(default_factory=list)
    clutter: list[Cutout] = field(default_factory=list)
    empty: list[Image.Image] = field(default_factory=list)
    other: list[Image.Image] = field(default_factory=list)


def fruits_of_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The fruits that the classes name, sorted."""
    return tuple(sorted({read_label(name).fruit for name in classes}))


def kinds_of(fruits: Sequence[str]) -> dict[str, int]:
    return {name: kind for kind, name in enumerate(fruits)}


def read_material(corpus: TrainingCorpus, split: Split) -> Material:
    """The material of one split, with fruits of the corpus' classes only."""
    material = Material(fruits_of_classes(corpus.classes))
    kinds = kinds_of(material.fruits)
    for sample in corpus.photographs(split):
        label = read_label(corpus.classes[int(np.argmax(sample.target))])
        kind, image = kinds[label.fruit], _small(load_image(sample))
        if scene := single_scene(image, kind):
            material.single.append(scene)
        if cutout := _cut_out(image, kind, label.level == "rotten"):
            material.cutouts.append(cutout)
    frames: dict[str, list[Box]] = {}
    for sample in corpus.boxed(split):
        if sample.box:
            frames.setdefault(str(sample.box.path), []).append(sample.box)
    for boxes in frames.values():
        scene, image = boxed_scene(boxes, kinds)
        material.boxed.append(scene)
        material.cutouts.extend(_round_cutouts(boxes, kinds))
    for sample in corpus.near_ood(split):
        image = _small(load_image(sample))
        material.other.append(image)
        if cutout := _cut_out(image, NONE, None):
            material.clutter.append(cutout)
    material.empty.extend(_small(load_image(sample)) for sample in corpus.far_ood(split))
    return material


def boxed_scene(boxes: Sequence[Box], kinds: dict[str, int]) -> tuple[Scene, Image.Image]:
    """The scene of one frame. A frame whose boxes have no level may have fruit without a box."""
    photograph = decode(boxes[0].path.read_bytes())
    shares = (photograph.width, photograph.height) * 2
    corners = [
        [value / share for value, share in zip(corner, shares, strict=True)]
        for corner in ((box.xmin, box.ymin, box.xmax, box.ymax) for box in boxes)
    ]
    image = _small(photograph.image)
    complete = any(box.level is not None for box in boxes)
    known = np.clip(as_boxes(corners), 0, 1)
    return Scene(image, known, [kinds[box.fruit] for box in boxes], NO_BOXES, complete), image


def single_scene(image: Image.Image, kind: int) -> Scene | None:
    """A photo of one fruit on white or paper, with the box of what is not the background."""
    pixels = to_input(image, CANVAS)
    outside = background_mask(pixels)
    if outside is None:
        return None
    inside = Image.fromarray((~outside).astype(np.uint8) * 255)
    box = inside.filter(ImageFilter.MedianFilter(5)).getbbox()
    if box is None:
        return None
    return Scene(image, as_boxes([[value / CANVAS for value in box]]), [kind], NO_BOXES)


def scene_batches(
    recipe: DetectorRecipe, material: Material, grid: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """An endless stream of batches: uint8 [n, size, size, 3] and targets.

    A scene depends on the seed and its number only.
    """
    sampler = SceneSampler(recipe, material)
    number = 0
    while True:
        scenes = [sampler.scene(number + k) for k in range(recipe.batch_size)]
        number += len(scenes)
        pixels = [pixels for pixels, _ in scenes]
        yield np.stack(pixels), np.stack([make_target(scene, grid) for _, scene in scenes])


class SceneSampler:
    """Draws augmented scenes by the shares of the recipe."""

    def __init__(self, recipe: DetectorRecipe, material: Material) -> None:
        self._recipe = recipe
        backgrounds = material.empty
        self._composer = Composer(
            _balanced(material.cutouts, len(material.fruits)),
            material.clutter,
            backgrounds,
            recipe.input_size,
        )
        self._material = material

    def scene(self, number: int) -> tuple[NDArray[np.uint8], Scene]:
        """The pixels uint8 [size, size, 3] of the scene of this number, and its boxes."""
        rng = np.random.default_rng((self._recipe.seed, number))
        scene = self._draw(rng)
        image = corrupt(resize(scene.image, self._recipe.input_size), rng)
        return color_jitter(to_input(image, self._recipe.input_size), rng), scene

    def _draw(self, rng: Generator) -> Scene:
        recipe, material = self._recipe, self._material
        chance = rng.random()
        if material.cutouts and chance < recipe.composed_share:
            return self._composer.compose(rng)
        chance -= recipe.composed_share
        if material.boxed and chance < recipe.boxed_share:
            return random_view(_one_of(material.boxed, rng), rng, 0.5, 1.5)
        chance -= recipe.boxed_share
        if material.single and chance < recipe.single_share:
            return random_view(_one_of(material.single, rng), rng, 0.8, 2.0)
        photos = material.other if rng.random() < 0.6 and material.other else material.empty
        if not photos:
            return self._composer.compose(rng)
        return Scene(random_part(_one_of(photos, rng), rng, 0.6), NO_BOXES, [], NO_BOXES)


def _one_of(items: Sequence[_Item], rng: Generator) -> _Item:
    return items[int(rng.integers(len(items)))]


def _balanced(cutouts: Sequence[Cutout], fruits: int) -> list[Cutout]:
    """About as many of each fruit, and of rotten and other ones, by repetition."""
    groups: dict[tuple[int, bool], list[Cutout]] = {}
    for cutout in cutouts:
        groups.setdefault((cutout.kind, bool(cutout.rotten)), []).append(cutout)
    most = max((len(group) for group in groups.values()), default=0)
    return [cutout for group in groups.values() for cutout in group * round(most / len(group))]


def _cut_out(image: Image.Image, kind: int, rotten: bool | None) -> Cutout | None:
    cutout = segment(image)
    if cutout is None or min(cutout.size) < CANVAS * 0.15:
        return None
    fill = float((np.asarray(cutout.getchannel("A")) > 127).mean())
    return Cutout(cutout, kind, rotten) if MIN_FILL < fill < MAX_FILL else None


def _round_cutouts(boxes: Sequence[Box], kinds: dict[str, int]) -> list[Cutout]:
    """The ellipses inside the boxes of apples and other about round fruit that stand alone."""
    corners = as_boxes([[box.xmin, box.ymin, box.xmax, box.ymax] for box in boxes])
    crowded = overlaps(corners, corners) - np.eye(len(boxes))
    photograph = decode(boxes[0].path.read_bytes())
    cutouts = []
    for k, box in enumerate(boxes):
        width, height = box.xmax - box.xmin, box.ymax - box.ymin
        at_edge = min(box.xmin, box.ymin) <= 3 or box.xmax > photograph.width - 4
        at_edge |= box.ymax > photograph.height - 4
        if at_edge or box.level is None or crowded[k].max() > 0.02:
            continue
        if not 0.85 < width / height < 1.18 or box.fruit == "banana":
            continue
        image = photograph.image.crop((box.xmin, box.ymin, box.xmax, box.ymax)).convert("RGBA")
        image.thumbnail((CANVAS, CANVAS))
        mask = Image.new("L", image.size, 0)
        ImageDraw.Draw(mask).ellipse((1, 1, image.width - 2, image.height - 2), fill=255)
        image.putalpha(mask.filter(ImageFilter.BoxBlur(1.5)))
        cutouts.append(Cutout(image, kinds[box.fruit], box.level == "rotten"))
    return cutouts


def _small(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.BILINEAR)
    return image
