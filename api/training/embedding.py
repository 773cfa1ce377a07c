"""Embeddings of many photographs through the graph that serves."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from api.imaging.preprocess import to_input
from api.predict.head import pool
from api.predict.runtime import Backbone
from api.progress import Progress, silent
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
    rows = [pool(backbone(blank))[:0]]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, row in enumerate(threads.map(embed, samples), start=1):
            rows.append(row)
            progress(stage, done, len(samples))
    return np.concatenate(rows)


def embed_turned(
    backbone: Backbone,
    samples: Sequence[Sample],
    size: int,
    progress: Progress = silent,
    stage: str = "Embedding",
) -> NDArray[np.float32]:
    """As `embed_samples`, each sample as it is, mirrored, and upside down: [n, 3, channels]."""

    def embed(sample: Sample) -> NDArray[np.float32]:
        seen = to_input(read(sample), size)
        turned = [np.ascontiguousarray(one)[None] for one in (seen, seen[:, ::-1], seen[::-1])]
        return np.concatenate([pool(backbone(one)) for one in turned])

    rows = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, row in enumerate(threads.map(embed, samples), start=1):
            rows.append(row)
            progress(stage, done, len(samples))
    return np.stack(rows)


def embed_pixels(backbone: Backbone, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Embeddings float32 [n, channels] of pictures as the network sees them.

    `pixels` is uint8 [n, size, size, 3], n at least 1.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        maps = threads.map(lambda picture: backbone(np.ascontiguousarray(picture)[None]), pixels)
        return np.concatenate([pool(found) for found in maps])
