"""Batches of augmented views, produced ahead of the training step."""

import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.layout import FAR
from api.training.augment import AugmentRates, augment
from api.training.background_augment import SceneAssets, segment
from api.training.balance import balanced_weights, epoch_order
from api.training.decay import with_decay, with_harmless_mark
from api.training.lesions import Skin, SkinBank
from api.training.recipe import Recipe
from api.training.samples import Sample, balance_keys, load_image

PREFETCH = 4
# Augmentation assets that stay in memory for the whole run.
MAX_CUTOUTS, MAX_BACKGROUNDS, MAX_DONORS_PER_GROUP = 150, 200, 40
# Decoded images kept in memory across epochs, and the longest side at which they are kept.
CACHED_IMAGES, CACHED_SIDE = 4000, 320
# The margin around a box is drawn from 0 to this; at inference it is BOX_MARGIN.
MAX_MARGIN = 0.4
# `ViewBatch.freshness` where it is unknown.
UNKNOWN = -1.0


@dataclass(frozen=True)
class ViewBatch:
    """`pixels` uint8 [n, size, size, 3]; `rows` int64 [n], the sample of each view; `freshness`
    float32 [n]: 1 not rotten, 0 rotten, or UNKNOWN."""

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    freshness: NDArray[np.float32]


def steps_per_epoch(recipe: Recipe) -> int:
    return -(-recipe.views // recipe.batch_size)


def view_batches(
    recipe: Recipe, samples: Sequence[Sample], classes: Sequence[str]
) -> Iterator[ViewBatch]:
    """An endless stream of batches; each epoch of `recipe.views` is balanced by source and label.

    A view depends on the seed, the epoch and its position in the epoch, never on thread timing.
    """
    sampler = ViewSampler(recipe, samples, classes)

    def batch(epoch: int, start: int, rows: NDArray[np.int64]) -> ViewBatch:
        views = [sampler.view(epoch, start + k, int(row)) for k, row in enumerate(rows)]
        freshness = np.array([freshness for _, freshness in views], np.float32)
        return ViewBatch(np.stack([pixels for pixels, _ in views]), rows, freshness)

    # Prefetches by itself, since TensorFlow's prefetching is limited under op determinism.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pending: deque[Future[ViewBatch]] = deque()
        for epoch in itertools.count():
            order = epoch_order(sampler.weights, recipe.views, recipe.seed, epoch)
            for start in range(0, len(order), recipe.batch_size):
                rows = order[start : start + recipe.batch_size]
                pending.append(pool.submit(batch, epoch, start, rows))
                if len(pending) > PREFETCH:
                    yield pending.popleft().result()


class ViewSampler:
    """Makes views, and holds the augmentation assets: cut-outs, backgrounds and donor skins."""

    def __init__(self, recipe: Recipe, samples: Sequence[Sample], classes: Sequence[str]) -> None:
        self._recipe = recipe
        self._samples = samples
        self._rates = AugmentRates(
            recipe.clean_share, recipe.background_share, recipe.neighbour_share
        )
        sources, labels, self._kinds = balance_keys(samples, classes)
        self.weights = balanced_weights(sources, labels, self._kinds)
        self._load = lru_cache(CACHED_IMAGES)(_load)
        rng = np.random.default_rng(recipe.seed)
        cutouts = self._pick_cutouts(rng) if recipe.neighbour_share else []
        self._assets = SceneAssets(cutouts, self._pick_backgrounds(rng))
        patches = recipe.lesion_share or recipe.sound_patch_share
        self._skins = self._pick_skins(rng, sources) if patches else SkinBank({})

    def view(self, epoch: int, position: int, row: int) -> tuple[NDArray[np.uint8], float]:
        """One view of a sample, uint8 [size, size, 3], and its freshness."""
        sample = self._samples[row]
        rng = np.random.default_rng((self._recipe.seed, epoch, position))
        image = self._load(sample, int(rng.integers(len(sample.copies))))
        if sample.box:
            image = _crop_to_margin(image, rng.uniform(0.0, MAX_MARGIN))
        freshness = UNKNOWN if sample.freshness is None else sample.freshness
        if sample.target and sample.freshness is not None:
            image, freshness = self._maybe_edit(image, self._kinds[row], freshness, rng)
        # Neighbouring fruit would make an out-of-distribution image in-distribution.
        assets = self._assets if sample.target else replace(self._assets, cutouts=())
        return augment(image, self._recipe.input_size, rng, self._rates, assets), freshness

    def _maybe_edit(
        self, image: Image.Image, kind: str, freshness: float, rng: np.random.Generator
    ) -> tuple[Image.Image, float]:
        """Decay or mark the fruit at the recipe's rates; returns the new freshness too."""
        recipe, chance = self._recipe, rng.random()
        decays = freshness > 0
        edits = (
            (recipe.lesion_share * decays, partial(self._skins.with_lesion, image, kind), 0.0),
            (recipe.decay_share * decays, partial(with_decay, image), 0.0),
            (
                recipe.sound_patch_share,
                partial(self._skins.with_sound_patch, image, kind),
                freshness,
            ),
            (recipe.mark_share, partial(with_harmless_mark, image), freshness),
        )
        for share, edit, freshness_then in edits:
            if chance < share:
                edited = edit(rng)
                return (edited, freshness_then) if edited else (image, freshness)
            chance -= share
        return image, freshness

    def _pick_cutouts(self, rng: np.random.Generator) -> list[Image.Image]:
        """Cut-outs of fruit of the classes, RGBA."""
        known = [sample for sample in self._samples if sample.target and sample.box is None]
        chosen = rng.permutation(len(known))[:MAX_CUTOUTS]
        cutouts = (segment(self._load(known[k], 0)) for k in chosen)
        return [cutout for cutout in cutouts if cutout is not None]

    def _pick_backgrounds(self, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
        """Photos of other things, uint8 [height, width, 3]."""
        far = [sample for sample in self._samples if sample.group.startswith(FAR)]
        chosen = rng.permutation(len(far))[:MAX_BACKGROUNDS]
        return [np.asarray(self._load(far[k], 0)) for k in chosen]

    def _pick_skins(self, rng: np.random.Generator, sources: Sequence[str]) -> SkinBank:
        """Donors from every source, kind and freshness."""
        groups: dict[tuple[str, str, bool], list[Sample]] = {}
        for sample, source, kind in zip(self._samples, sources, self._kinds, strict=True):
            if sample.freshness is not None:
                groups.setdefault((source, kind, sample.freshness == 0), []).append(sample)
        skins: dict[tuple[str, bool], list[Skin]] = {}
        for (_, kind, rotten), group in groups.items():
            for k in rng.permutation(len(group))[:MAX_DONORS_PER_GROUP]:
                image = self._load(group[k], 0)
                skin = Skin.of(_crop_to_margin(image, 0.0) if group[k].box else image)
                skins.setdefault((kind, rotten), []).append(skin)
        return SkinBank(skins)


def _load(sample: Sample, copy: int) -> Image.Image:
    """One copy, cropped with MAX_MARGIN if it has a box, at most CACHED_SIDE a side."""
    image = load_image(sample, copy, MAX_MARGIN)
    image.thumbnail((CACHED_SIDE, CACHED_SIDE), Image.Resampling.BILINEAR)
    return image


def _crop_to_margin(image: Image.Image, margin: float) -> Image.Image:
    """Centre crop of a box crop with MAX_MARGIN, down to `margin`."""
    share = (1 - (0.5 + margin) / (0.5 + MAX_MARGIN)) / 2
    across, down = round(image.width * share), round(image.height * share)
    return image.crop((across, down, image.width - across, image.height - down))
