"""A finished grader: trained, exported, calibrated, able to say that it does not know.

The default package, every fold of the cross-validation and every full retraining are made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from api.predict.head import Head
from api.predict.litert import LiteRTBackbone
from api.progress import OnEpoch, Progress, silent, unheard
from api.training.calibrate import fit_temperature
from api.training.embedding import embed_samples
from api.training.export import to_litert
from api.training.recipe import Recipe
from api.training.reject import fit_rejection, set_threshold
from api.training.samples import Sample, targets
from api.training.study import Study
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
        """Embeddings float32 [n, channels] through the exported graph."""
        return embed_samples(
            self.backbone, samples, self.input_size, progress, f"Embedding {purpose}"
        )


def train_grader(
    recipe: Recipe, study: Study, progress: Progress = silent, on_epoch: OnEpoch = unheard
) -> Grader:
    """Train and finish a grader. The same values give the same grader."""
    trained = train(recipe, study.training, study.validation, progress, on_epoch)
    graph = to_litert(trained.backbone)
    backbone = LiteRTBackbone(graph)

    def embed(samples: Sequence[Sample], purpose: str) -> NDArray[np.float32]:
        stage = f"Embedding {purpose}"
        return embed_samples(backbone, samples, recipe.input_size, progress, stage)

    learned = embed(study.training, "what was learned from")
    held_out = embed(study.validation, "for calibration")
    temperature = fit_temperature(
        held_out @ trained.weights + trained.bias, targets(study.validation).argmax(axis=1)
    )
    rejection = fit_rejection(learned, targets(study.training).argmax(axis=1))
    rejection = set_threshold(rejection, held_out, embed(study.others, "other things"))
    return Grader(
        keras_backbone=trained.backbone,
        graph=graph,
        backbone=backbone,
        head=Head(trained.weights, trained.bias, temperature, rejection),
        input_size=recipe.input_size,
        history=trained.history,
    )
