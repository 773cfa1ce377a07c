"""What the network is shown: batches of augmented views, made ahead of the training step."""

import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.training.augment import Views, augment
from api.training.graft import graft
from api.training.recipe import Recipe
from api.training.samples import Sample, epoch_order, read
from api.training.surroundings import cut_out

BATCHES_AHEAD = 4
CUT_OUTS = 200
Target = tuple[float, ...]


@dataclass(frozen=True)
class Batch:
    """Views uint8 [n, size, size, 3], their targets float32 [n, classes], weights float32 [n]."""

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def steps_of(recipe: Recipe, samples: Sequence[Sample]) -> int:
    """How many batches an epoch has."""
    taken = epoch_order(samples, recipe.boxed_share, recipe.seed, 0)
    return -(-len(taken) // recipe.batch_size)


def batches(
    recipe: Recipe, samples: Sequence[Sample], weights: NDArray[np.float32]
) -> Iterator[Batch]:
    """Batches for ever, each sample once an epoch in an order of its own; `weights` float32 [n].

    A view depends on seed, epoch and sample alone, never on the threads that make it.
    """
    painter = _Painter(recipe, samples)

    def batch(epoch: int, chosen: NDArray[np.int64]) -> Batch:
        views = [painter.view(epoch, int(index)) for index in chosen]
        pixels, seen = zip(*views, strict=True)
        return Batch(np.stack(pixels), np.array(seen, np.float32), weights[chosen])

    # Ahead of the training step, whatever op determinism leaves of TensorFlow's prefetching.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead: deque[Future[Batch]] = deque()
        for epoch, chosen in _plan(recipe, samples):
            ahead.append(pool.submit(batch, epoch, chosen))
            if len(ahead) > BATCHES_AHEAD:
                yield ahead.popleft().result()


def _plan(recipe: Recipe, samples: Sequence[Sample]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    for epoch in itertools.count():
        order = epoch_order(samples, recipe.boxed_share, recipe.seed, epoch)
        for start in range(0, len(order), recipe.batch_size):
            yield epoch, order[start : start + recipe.batch_size]


class _Painter:
    """Makes views, with the other fruit that some of them need at hand."""

    def __init__(self, recipe: Recipe, samples: Sequence[Sample]) -> None:
        self._recipe = recipe
        self._samples = samples
        studio = [sample for sample in samples if sample.studio]
        self._neighbours = self._cut(studio) if recipe.neighbour_share else []
        self._skins: dict[Target, list[Image.Image]] = {}
        if recipe.graft_share:
            sound = [sample for sample in studio if sample.spoilt]
            for target in {
                one for sample in sound for one in (sample.target, sample.spoilt) if one
            }:
                self._skins[target] = self._cut([one for one in studio if one.target == target])

    def view(self, epoch: int, index: int) -> tuple[NDArray[np.uint8], Target]:
        """One view uint8 [size, size, 3] of a sample, and what is seen on it."""
        recipe, sample = self._recipe, self._samples[index]
        rng = np.random.default_rng((recipe.seed, epoch, index))
        image = read(sample, int(rng.integers(len(sample.copies))), rng.uniform(0.0, 0.4))
        target = sample.target
        if sample.spoilt and rng.random() < recipe.graft_share:
            image, target = self._grafted(image, sample, rng)
        background = recipe.background_share if sample.studio else 0.0
        kind = Views(recipe.clean_share, background, recipe.neighbour_share)
        return augment(image, recipe.input_size, rng, kind, self._neighbours), target

    def _grafted(
        self, image: Image.Image, sample: Sample, rng: np.random.Generator
    ) -> tuple[Image.Image, Target]:
        """With a patch of rotten skin as often as of sound skin; unchanged where none fits."""
        spoils = bool(rng.random() < 0.5)
        target = sample.spoilt if spoils and sample.spoilt else sample.target
        grafted = graft(image, self._skins[target], rng, spoils)
        return (grafted, target) if grafted else (image, sample.target)

    def _cut(self, samples: Sequence[Sample]) -> list[Image.Image]:
        """Cut-outs of at most CUT_OUTS samples."""
        chosen = np.random.default_rng(self._recipe.seed).permutation(len(samples))[:CUT_OUTS]
        fruit = (_first_cut_out(samples[index]) for index in chosen)
        return [found for found in fruit if found is not None]


def _first_cut_out(sample: Sample) -> Image.Image | None:
    """From the first of the copies that is white all around: turned ones are not."""
    cuts = (cut_out(read(sample, copy)) for copy in range(len(sample.copies)))
    return next((cut for cut in cuts if cut is not None), None)
