"""Train a grader: fine-tune, export, fit the OOD detector, calibrate.

Makes the default package, every run of the cross-validation and every full retraining.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.heads import Head
from api.core.imaging.resize import to_input
from api.core.progress import OnEpoch, Progress, silent
from api.model.engines.litert import LiteRTBackbone
from api.model.predictor import Backbone
from api.training.corpus import TrainingSplit
from api.training.export import to_litert
from api.training.heads import (
    GroundTruth,
    HeadLogits,
    calibrate_head,
    level_numbers,
    uncalibrated_head,
)
from api.training.ood import fit_ood
from api.training.recipe import Recipe
from api.training.samples import Sample, load_image, targets
from api.training.train import train


@dataclass(frozen=True)
class Grader:
    """`keras_backbone` and `graph` are the same network before and after export."""

    keras_backbone: keras.Model
    graph: bytes
    backbone: LiteRTBackbone
    head: Head
    input_size: int
    history: tuple[dict[str, float], ...]

    def embed(
        self, samples: Sequence[Sample], progress: Progress = silent, what: str = "photos"
    ) -> NDArray[np.float32]:
        """Embeddings float32 [n, channels] from the exported graph."""
        return embed_samples(self.backbone, samples, self.input_size, progress, f"Embedding {what}")


def train_grader(
    recipe: Recipe,
    split: TrainingSplit,
    progress: Progress = silent,
    on_epoch: OnEpoch = silent,
) -> Grader:
    """Train, export and calibrate. Deterministic on a CPU."""
    trained = train(recipe, split, progress, on_epoch)
    graph = to_litert(trained.backbone)
    backbone = LiteRTBackbone(graph)

    def embed(samples: Sequence[Sample], what: str) -> NDArray[np.float32]:
        return embed_samples(backbone, samples, recipe.input_size, progress, f"Embedding {what}")

    known = [sample for sample in split.training if sample.target]
    held_out = [sample for sample in split.validation if sample.target]
    ood = fit_ood(embed(known, "training photos"), targets(known).argmax(axis=1))
    head = uncalibrated_head(split.classes, *trained.layout.separate(trained.heads), ood)
    logits = HeadLogits.of(head, embed(held_out, "validation photos"))
    truth = GroundTruth(
        targets(held_out),
        level_numbers(held_out, split.classes),
        [sample.source for sample in held_out],
    )
    return Grader(
        keras_backbone=trained.backbone,
        graph=graph,
        backbone=backbone,
        head=calibrate_head(head, logits, truth),
        input_size=recipe.input_size,
        history=trained.history,
    )


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

    # An empty array of the right width, in case there are no samples.
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
