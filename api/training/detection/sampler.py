"""Draws training scenes from a corpus, each with its target."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.decode import decode
from api.core.imaging.resize import resize, to_input
from api.core.labels import read_label
from api.core.splits import Split
from api.training.augment import color_jitter, corrupt
from api.training.corpus import TrainingCorpus
from api.training.detection.cutouts import NONE, NOT_ROUND, Cutout, cut_out, extent, round_cutouts
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.scenes import Composer, random_part, random_view
from api.training.detection.targets import NO_BOXES, UNKNOWN, Scene, as_boxes, make_target
from api.training.frames import Frame, sample_frames
from api.training.samples import load_image

_Item = TypeVar("_Item")
# Longest side of a photo in memory.
KEPT_SIDE = 400
# Boxed photos in memory, which take up to 0.5 MB each.
MAX_BOXED = 2000
# The index of a fruit that the detector does not learn to find.
IGNORED = -2


@dataclass(frozen=True)
class Material:
    """What scenes are made of: scenes with boxes by source, photos of a single fruit, cut-outs of
    fruit and of other produce (`clutter`), `empty` photos, and photos of `other` produce."""

    fruits: tuple[str, ...]
    boxed: dict[str, list[Scene]] = field(default_factory=dict)
    single: list[Scene] = field(default_factory=list)
    cutouts: list[Cutout] = field(default_factory=list)
    clutter: list[Cutout] = field(default_factory=list)
    empty: list[Image.Image] = field(default_factory=list)
    other: list[Image.Image] = field(default_factory=list)

    @property
    def shows_places(self) -> bool:
        """Whether anything shows where a fruit is: boxes, or a plain background."""
        return bool(self.boxed or self.single or self.cutouts)


def fruits_of_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The fruits that the classes name, sorted."""
    return tuple(sorted({read_label(name).fruit for name in classes}))


def kinds_of(fruits: Sequence[str]) -> dict[str, int]:
    return {name: kind for kind, name in enumerate(fruits)}


def read_material(
    corpus: TrainingCorpus, split: Split, fruits: tuple[str, ...] | None = None
) -> Material:
    """The material of one split, with these `fruits` only; by default those of its classes."""
    material = Material(fruits_of_classes(corpus.classes) if fruits is None else fruits)
    kinds = kinds_of(material.fruits)
    for sample in corpus.of_one_fruit(split):
        label = read_label(corpus.classes[int(np.argmax(sample.target))])
        if label.fruit not in kinds:
            continue
        kind, image = kinds[label.fruit], _small(load_image(sample))
        if scene := single_scene(image, kind):
            material.single.append(scene)
        is_round = label.fruit not in NOT_ROUND
        if cutout := cut_out(image, kind, label.level == "rotten", is_round=is_round):
            material.cutouts.append(cutout)
    for frame in sample_frames(corpus.frames(split), MAX_BOXED):
        scene = read_scene(frame, kinds)
        small = replace(scene, image=_small(scene.image))
        material.boxed.setdefault(frame.source, []).append(small)
        material.cutouts.extend(round_cutouts(scene.image, frame, material.fruits))
    for sample in corpus.near_ood(split):
        image = _small(load_image(sample))
        material.other.append(image)
        if cutout := cut_out(image, NONE, None):
            material.clutter.append(cutout)
    material.empty.extend(_small(load_image(sample)) for sample in corpus.far_ood(split))
    return material


def read_scene(frame: Frame, kinds: dict[str, int]) -> Scene:
    """The scene of one frame, in the photo's own pixels. A fruit that is not among `kinds` is
    ignored: the detector may find it or not."""
    image = decode(frame.path.read_bytes()).image
    shares = np.array(image.size * 2)
    corners = np.clip(as_boxes([np.divide(each.box, shares) for each in frame.boxes]), 0, 1)
    indices = [
        UNKNOWN if each.fruit is None else kinds.get(each.fruit, IGNORED) for each in frame.boxes
    ]
    learned = np.array([index != IGNORED for index in indices], bool)
    known = [index for index in indices if index != IGNORED]
    return Scene(image, corners[learned], known, corners[~learned], frame.complete)


def single_scene(image: Image.Image, kind: int) -> Scene | None:
    """A photo of one fruit on a plain background, with the box of what is not the background."""
    box = extent(image)
    return Scene(image, as_boxes([box]), [kind], NO_BOXES) if box else None


def scene_batches(
    recipe: DetectorRecipe, material: Material, grid: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """An endless stream of batches: uint8 [n, size, size, 3] and targets.

    A scene depends only on the seed and its number.
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
            _balanced(material.cutouts),
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

    def draw(self, number: int) -> Scene:
        """The scene of this number at its own size, not augmented further."""
        return self._draw(np.random.default_rng((self._recipe.seed, number)))

    def _draw(self, rng: Generator) -> Scene:
        recipe, material = self._recipe, self._material
        chance = rng.random()
        if material.cutouts and chance < recipe.composed_share:
            return self._composer.compose(rng)
        chance -= recipe.composed_share
        if material.boxed and chance < recipe.boxed_share:
            source = _one_of(sorted(material.boxed), rng)
            return random_view(_one_of(material.boxed[source], rng), rng, 0.5, 1.5)
        chance -= recipe.boxed_share
        if material.single and chance < recipe.single_share:
            return random_view(_one_of(material.single, rng), rng, 0.8, 2.0)
        photos = material.other if rng.random() < 0.6 and material.other else material.empty
        if not photos and material.cutouts:
            return self._composer.compose(rng)
        if not photos:
            scenes = [*material.single, *itertools.chain(*material.boxed.values())]
            return random_view(_one_of(scenes, rng), rng, 0.5, 1.5)
        return Scene.empty(random_part(_one_of(photos, rng), rng, 0.6))


def _one_of(items: Sequence[_Item], rng: Generator) -> _Item:
    return items[int(rng.integers(len(items)))]


def _balanced(cutouts: Sequence[Cutout]) -> list[Cutout]:
    """About as many of each fruit, rotten and not, by repeating cut-outs."""
    groups: dict[tuple[int, bool], list[Cutout]] = {}
    for cutout in cutouts:
        groups.setdefault((cutout.kind, bool(cutout.rotten)), []).append(cutout)
    most = max((len(group) for group in groups.values()), default=0)
    return [cutout for group in groups.values() for cutout in group * round(most / len(group))]


def _small(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.BILINEAR)
    return image
