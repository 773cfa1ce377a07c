"""Embeddings of many images with the exported graph, on all cores."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.imaging.resize import to_input
from api.core.progress import Progress, silent
from api.model.predictor import Backbone
from api.training.samples import Sample, load_image


def embed_samples(
    backbone: Backbone,
    samples: Sequence[Sample],
    size: int,
    progress: Progress = silent,
    stage: str = "Embedding",
) -> NDArray[np.float32]:
    """Embeddings float32 [n, channels] of the first file of each sample."""

    def embed(sample: Sample) -> NDArray[np.float32]:
        return pool(backbone(to_input(load_image(sample), size)[None]))

    # An empty array of the right width, for no samples.
    embeddings = [pool(backbone(np.zeros((1, size, size, 3), np.uint8)))[:0]]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, embedding in enumerate(threads.map(embed, samples), start=1):
            embeddings.append(embedding)
            progress(stage, done, len(samples))
    return np.concatenate(embeddings)


def embed_pixels(backbone: Backbone, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Embeddings float32 [n, channels] of inputs uint8 [n, size, size, 3], n at least 1."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        maps = threads.map(lambda image: backbone(np.ascontiguousarray(image)[None]), pixels)
        return np.concatenate([pool(feature_map) for feature_map in maps])
