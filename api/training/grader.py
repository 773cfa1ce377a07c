"""A finished grader: trained, exported, calibrated, able to say that it does not know.

The default package, every fold of the cross-validation and every full retraining are made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from api.networks.architectures import find, with_texture
from api.networks.gate import gated
from api.predict.head import Expert, Head, Linear, opening, softmax
from api.predict.litert import LiteRTBackbone
from api.progress import OnEpoch, Progress, silent, unheard
from api.training.calibrate import fit_temperature
from api.training.embedding import embed_samples, embed_turned
from api.training.expert import fit_classifier, fit_gate, fit_own_temperature
from api.training.export import to_litert
from api.training.recipe import Recipe
from api.training.reject import fit_rejection, set_threshold
from api.training.samples import Sample, balanced_weights, targets
from api.training.study import Study
from api.training.train import train

STAGE = "Embedding textures"


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
    network, classifier = trained.backbone, trained.classifier
    own = None
    if expert_wanted(recipe, study):
        network, own = _with_expert(recipe, study, network, progress)
    graph = to_litert(network)
    backbone = LiteRTBackbone(graph)

    def embed(samples: Sequence[Sample], purpose: str) -> NDArray[np.float32]:
        stage = f"Embedding {purpose}"
        return embed_samples(backbone, samples, recipe.input_size, progress, stage)

    learned = embed(study.training, "what was learned from")
    held_out = embed(study.validation, "for calibration")
    labels = targets(study.validation).argmax(axis=1)
    temperature = fit_temperature(classifier(held_out[:, : len(classifier.weights)]), labels)
    expert = None
    if own is not None:
        expert = Expert(own, 1.0)
        own_temperature = fit_own_temperature(expert.logits(held_out), labels, opening(held_out))
        expert = replace(expert, temperature=own_temperature)
    rejection = fit_rejection(learned, targets(study.training).argmax(axis=1))
    rejection = set_threshold(rejection, held_out, embed(study.others, "other things"))
    return Grader(
        keras_backbone=network,
        graph=graph,
        backbone=backbone,
        head=Head(classifier.weights, classifier.bias, temperature, rejection, expert),
        input_size=recipe.input_size,
        history=trained.history,
    )


def expert_wanted(recipe: Recipe, study: Study) -> bool:
    """Whether there is a texture, and photographs of both kinds that a gate tells apart."""
    kinds = {sample.studio for sample in study.training if sample.copies[0] not in study.uploads}
    return recipe.expert and find(recipe.architecture).texture is not None and len(kinds) == 2


def _with_expert(
    recipe: Recipe, study: Study, network: keras.Model, progress: Progress
) -> tuple[keras.Model, Linear]:
    """The network with texture and gate, and the classifier of the expert.

    Both are fitted to the textures of every file of the class folders, the classifier also to
    those of the same files turned.
    """
    channels = network.output_shape[-1]
    network = with_texture(network, recipe.architecture)
    backbone, size = LiteRTBackbone(to_litert(network)), recipe.input_size
    files = [
        replace(sample, copies=(copy,), weight=sample.weight / len(sample.copies))
        for sample in study.training
        if sample.studio
        for copy in sample.copies
    ]
    boxed = [sample for sample in study.training if not sample.studio]
    seen = embed_turned(backbone, files, size, progress, STAGE)[..., channels:]
    elsewhere = embed_samples(backbone, [*boxed, *study.others], size, progress, STAGE)
    uploaded = np.array([file.copies[0] in study.uploads for file in files])
    gate = fit_gate(seen[~uploaded, 0], elsewhere[:, channels:])
    turns = seen.shape[1]
    texture = seen.reshape(-1, seen.shape[2])
    classifier = fit_classifier(
        softmax(gate(texture))[:, 1],
        texture,
        targets(files).repeat(turns, axis=0),
        balanced_weights(files).repeat(turns),
    )
    return gated(network, gate), classifier
