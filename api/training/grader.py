"""Train a grader: fine-tune, export, fit the OOD detector, calibrate.

Makes the default package, every run of the cross-validation and every full retraining.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.progress import OnEpoch, Progress, silent
from api.model.litert import LiteRTBackbone
from api.training.corpus import TrainingSplit
from api.training.embedding import embed_samples
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
from api.training.samples import Sample, targets
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
        self, samples: Sequence[Sample], progress: Progress = silent, purpose: str = "photographs"
    ) -> NDArray[np.float32]:
        """Embeddings float32 [n, channels] from the exported graph."""
        return embed_samples(
            self.backbone, samples, self.input_size, progress, f"Embedding {purpose}"
        )


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

    def embed(samples: Sequence[Sample], purpose: str) -> NDArray[np.float32]:
        return embed_samples(backbone, samples, recipe.input_size, progress, f"Embedding {purpose}")

    known = [sample for sample in split.training if sample.target]
    held_out = [sample for sample in split.validation if sample.target]
    ood = fit_ood(embed(known, "what was learned from"), targets(known).argmax(axis=1))
    head = uncalibrated_head(split.classes, trained.kinds, trained.freshness, ood)
    logits = HeadLogits.of(head, embed(held_out, "for calibration"))
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
