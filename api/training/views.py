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
from api.training.recipe import Recipe
from api.training.samples import Sample, epoch_order, read, targets
from api.training.surroundings import cut_out

BATCHES_AHEAD = 4
CUT_OUTS = 200


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
    painter, wanted = _Painter(recipe, samples), targets(samples)

    def batch(epoch: int, chosen: NDArray[np.int64]) -> Batch:
        pixels = np.stack([painter.view(epoch, int(index)) for index in chosen])
        return Batch(pixels, wanted[chosen], weights[chosen])

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
        self._neighbours = _cut_outs(recipe, samples) if recipe.neighbour_share else []

    def view(self, epoch: int, index: int) -> NDArray[np.uint8]:
        """One view of a sample: uint8 [size, size, 3]."""
        recipe, sample = self._recipe, self._samples[index]
        rng = np.random.default_rng((recipe.seed, epoch, index))
        image = read(sample, int(rng.integers(len(sample.copies))), rng.uniform(0.0, 0.4))
        background = recipe.background_share if sample.studio else 0.0
        kind = Views(recipe.clean_share, background, recipe.neighbour_share)
        return augment(image, recipe.input_size, rng, kind, self._neighbours)


def _cut_outs(recipe: Recipe, samples: Sequence[Sample]) -> list[Image.Image]:
    """Fruit to put around others, from at most CUT_OUTS photographs."""
    studio = [sample for sample in samples if sample.studio]
    chosen = np.random.default_rng(recipe.seed).permutation(len(studio))[:CUT_OUTS]
    fruit = (cut_out(read(studio[index])) for index in chosen)
    return [found for found in fruit if found is not None]
