"""Embeddings of many photographs through the graph that serves."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.imaging.preprocess import to_input
from api.core.progress import Progress, silent
from api.model.predictor import Backbone
from api.training.samples import Sample, read


def embed_samples(
    backbone: Backbone,
    samples: Sequence[Sample],
    size: int,
    progress: Progress = silent,
    stage: str = "Embedding",
) -> NDArray[np.float32]:
    """Embeddings float32 [n, channels] of the first file of each sample, on all cores."""

    def embed(sample: Sample) -> NDArray[np.float32]:
        return pool(backbone(to_input(read(sample), size)[None]))

    # A blank first, so that no samples give no rows of the right width.
    blank = np.zeros((1, size, size, 3), np.uint8)
    none = pool(backbone(blank))[:0]
    return np.concatenate([none, *_each(embed, samples, progress, stage)])


def embed_pixels(backbone: Backbone, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Embeddings float32 [n, channels] of pictures as the network sees them.

    `pixels` is uint8 [n, size, size, 3], n at least 1.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        maps = threads.map(lambda picture: backbone(np.ascontiguousarray(picture)[None]), pixels)
        return np.concatenate([pool(found) for found in maps])


def _each(
    embed: Callable[[Sample], NDArray[np.float32]],
    samples: Sequence[Sample],
    progress: Progress,
    stage: str,
) -> Iterator[NDArray[np.float32]]:
    """What `embed` gives of each sample, in their order, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, rows in enumerate(threads.map(embed, samples), start=1):
            yield rows
            progress(stage, done, len(samples))
