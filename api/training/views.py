"""What the network is shown: batches of augmented views, made ahead of the training step."""

import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.layout import FAR
from api.training.augment import Views, augment
from api.training.background_augment import Around, segment
from api.training.balance import balanced_weights, epoch_order
from api.training.lesions import Donors, Skin
from api.training.recipe import Recipe
from api.training.samples import Sample, balance_keys, read

BATCHES_AHEAD = 4
# Enough of each to vary; they stay in memory for the whole training.
NEIGHBOURS, BACKGROUNDS, DONORS_OF_A_GROUP = 150, 200, 40
# Training reads a photograph again in every epoch: so many stay decoded, at most so large.
KEPT, KEPT_SIDE = 4000, 320
# Widest room around a box in training; see BOX_MARGIN.
WIDEST_MARGIN = 0.4
# In `Batch.freshness`: not known.
UNKNOWN = -1.0


@dataclass(frozen=True)
class Batch:
    """Views uint8 [n, size, size, 3], the rows of their samples int64 [n], and their freshness
    float32 [n]: 1 not rotten, 0 rotten, UNKNOWN."""

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    freshness: NDArray[np.float32]


def steps_of(recipe: Recipe) -> int:
    """How many batches an epoch has."""
    return -(-recipe.views // recipe.batch_size)


def batches(recipe: Recipe, samples: Sequence[Sample], classes: Sequence[str]) -> Iterator[Batch]:
    """Batches for ever; an epoch of `recipe.views` is balanced over source and label.

    A view depends on seed, epoch and its place in the epoch alone, never on the threads that make
    it.
    """
    sampler = ViewSampler(recipe, samples, classes)

    def batch(epoch: int, start: int, rows: NDArray[np.int64]) -> Batch:
        views = [sampler.view(epoch, start + k, int(row)) for k, row in enumerate(rows)]
        freshness = np.array([freshness for _, freshness in views], np.float32)
        return Batch(np.stack([pixels for pixels, _ in views]), rows, freshness)

    # Ahead of the training step, whatever op determinism leaves of TensorFlow's prefetching.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead: deque[Future[Batch]] = deque()
        for epoch, start, rows in _plan(recipe, sampler.weights):
            ahead.append(pool.submit(batch, epoch, start, rows))
            if len(ahead) > BATCHES_AHEAD:
                yield ahead.popleft().result()


def _plan(
    recipe: Recipe, weights: NDArray[np.float32]
) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    for epoch in itertools.count():
        order = epoch_order(weights, recipe.views, recipe.seed, epoch)
        for start in range(0, len(order), recipe.batch_size):
            yield epoch, start, order[start : start + recipe.batch_size]


class ViewSampler:
    """Makes views, with what some of them need at hand: other fruit, backgrounds, rot."""

    def __init__(self, recipe: Recipe, samples: Sequence[Sample], classes: Sequence[str]) -> None:
        self._recipe = recipe
        self._samples = samples
        sources, labels, self._kinds = balance_keys(samples, classes)
        self.weights = balanced_weights(sources, labels, self._kinds)
        self._read = lru_cache(KEPT)(_read)
        rng = np.random.default_rng(recipe.seed)
        neighbours = self._some_fruit(rng) if recipe.neighbour_share else []
        self._around = Around(neighbours, self._some_backgrounds(rng))
        self._donors = self._some_donors(rng, sources) if recipe.lesion_share else Donors({})

    def view(self, epoch: int, place: int, row: int) -> tuple[NDArray[np.uint8], float]:
        """One view of a sample, uint8 [size, size, 3], and its freshness."""
        recipe, sample = self._recipe, self._samples[row]
        rng = np.random.default_rng((recipe.seed, epoch, place))
        image = self._read(sample, int(rng.integers(len(sample.copies))))
        if sample.box:
            image = _narrowed(image, rng.uniform(0.0, WIDEST_MARGIN))
        freshness = UNKNOWN if sample.freshness is None else sample.freshness
        if sample.target and sample.freshness is not None:
            image, freshness = self._patched(image, self._kinds[row], freshness, rng)
        views = Views(recipe.clean_share, recipe.background_share, recipe.neighbour_share)
        # Beside what is none of the fruits, fruit would make it one of them.
        around = self._around if sample.target else replace(self._around, neighbours=())
        return augment(image, recipe.input_size, rng, views, around), freshness

    def _patched(
        self, image: Image.Image, kind: str, freshness: float, rng: np.random.Generator
    ) -> tuple[Image.Image, float]:
        """Now and then with a patch of rotten or of sound skin, and what it is then."""
        recipe, chance = self._recipe, rng.random()
        if freshness > 0 and chance < recipe.lesion_share:
            patched = self._donors.with_lesion(image, kind, rng)
            return (patched, 0.0) if patched else (image, freshness)
        if chance > 1 - recipe.sound_patch_share:
            return self._donors.with_sound_patch(image, kind, rng) or image, freshness
        return image, freshness

    def _some_fruit(self, rng: np.random.Generator) -> list[Image.Image]:
        """Cut-outs of known fruit, RGBA."""
        known = [s for s in self._samples if s.target and s.box is None]
        chosen = rng.permutation(len(known))[:NEIGHBOURS]
        cut = (segment(self._read(known[k], 0)) for k in chosen)
        return [fruit for fruit in cut if fruit is not None]

    def _some_backgrounds(self, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
        """Photographs of other things, uint8 [height, width, 3]."""
        far = [s for s in self._samples if s.group.startswith(FAR)]
        chosen = rng.permutation(len(far))[:BACKGROUNDS]
        return [np.asarray(self._read(far[k], 0)) for k in chosen]

    def _some_donors(self, rng: np.random.Generator, sources: Sequence[str]) -> Donors:
        """Skin of some fruit of each source, kind and freshness."""
        groups: dict[tuple[str, str, bool], list[Sample]] = {}
        for sample, source, kind in zip(self._samples, sources, self._kinds, strict=True):
            if sample.freshness is not None:
                groups.setdefault((source, kind, sample.freshness == 0), []).append(sample)
        skins: dict[tuple[str, bool], list[Skin]] = {}
        for (_, kind, rotten), group in groups.items():
            for k in rng.permutation(len(group))[:DONORS_OF_A_GROUP]:
                image = self._read(group[k], 0)
                skin = Skin.of(_narrowed(image, 0.0) if group[k].box else image)
                skins.setdefault((kind, rotten), []).append(skin)
        return Donors(skins)


def _read(sample: Sample, copy: int) -> Image.Image:
    """One copy, a box with the widest margin, at most KEPT_SIDE a side."""
    image = read(sample, copy, WIDEST_MARGIN)
    image.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.BILINEAR)
    return image


def _narrowed(image: Image.Image, margin: float) -> Image.Image:
    """A crop with WIDEST_MARGIN cut to `margin` around its middle."""
    share = (1 - (0.5 + margin) / (0.5 + WIDEST_MARGIN)) / 2
    across, down = round(image.width * share), round(image.height * share)
    return image.crop((across, down, image.width - across, image.height - down))
