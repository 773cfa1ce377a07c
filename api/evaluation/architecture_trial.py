"""One row of the comparison: train by a recipe, grade the test photographs, time the graph."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from api.core.arrays import softmax
from api.core.metrics import evaluate
from api.core.progress import Progress, silent
from api.model.litert import LiteRTBackbone
from api.training.backbones.architectures import build_backbone
from api.training.balance import balanced_weights
from api.training.corpus import TrainingCorpus
from api.training.embedding import embed_samples
from api.training.export import check_agreement, to_litert
from api.training.grader import train_grader
from api.training.heads import fit_head
from api.training.recipe import Recipe
from api.training.samples import balance_keys, inputs, targets

WARM_UP_RUNS = 20
TIMED_RUNS = 200


@dataclass(frozen=True)
class Trial:
    """What to train: `frozen` leaves the backbone as it is and fits the head alone."""

    recipe: Recipe
    frozen: bool = False


@dataclass(frozen=True)
class Fitted:
    """A trained network as it would serve.

    `probabilities` takes embeddings float32 [n, channels] to [n, classes]; `parameters` counts
    backbone and head.
    """

    graph: bytes
    probabilities: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    parameters: int


def measure(trial: Trial, corpus: TrainingCorpus, progress: Progress = silent) -> dict[str, Any]:
    """Train and measure; JSON-ready. Raises what training raises, and ExportError."""
    recipe = trial.recipe
    fitted = (_fit_head_alone if trial.frozen else _fine_tune)(recipe, corpus, progress)
    backbone = LiteRTBackbone(fitted.graph)
    samples = corpus.file_samples("test")
    stage = "Embedding the test photographs"
    embeddings = embed_samples(backbone, samples, recipe.input_size, progress, stage)
    scores = evaluate(
        fitted.probabilities(embeddings),
        targets(samples).argmax(axis=1),
        corpus.classes,
        [file.photograph for file in corpus.files("test")],
    )
    per_class = scores["per_class"].values()
    return {
        "architecture": recipe.architecture,
        "weights": Path(recipe.weights).name,
        "input_size": recipe.input_size,
        "training": "head alone on the untouched backbone" if trial.frozen else "fine-tuned",
        "files": scores["files"],
        "photographs": scores["photographs"],
        "accuracy": scores["accuracy"],
        "accuracy_interval_95": scores["accuracy_interval_95"],
        "macro_precision": mean(row["precision"] for row in per_class),
        "macro_recall": mean(row["recall"] for row in per_class),
        "macro_f1": scores["macro_f1"],
        "parameters": fitted.parameters,
        "megabytes": len(fitted.graph) / 1e6,
        "milliseconds": milliseconds(backbone, recipe.input_size),
        "recipe": recipe.as_dict(),
    }


def milliseconds(backbone: LiteRTBackbone, size: int) -> float:
    """Median time of a forward pass for one photograph on one core, warmed up."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    times = []
    for _ in range(WARM_UP_RUNS + TIMED_RUNS):
        started = time.perf_counter()
        backbone(pixels)
        times.append(time.perf_counter() - started)
    return median(times[WARM_UP_RUNS:]) * 1000


def _fine_tune(recipe: Recipe, corpus: TrainingCorpus, progress: Progress) -> Fitted:
    grader = train_grader(recipe, corpus.study(), progress)
    pixels = inputs(corpus.photographs("test"), recipe.input_size)
    head = grader.head
    check_agreement(grader.keras_backbone, grader.backbone, pixels, head.log_probabilities)
    parameters = grader.keras_backbone.count_params() + head.parameters
    return Fitted(grader.graph, head.probabilities, parameters)


def _fit_head_alone(recipe: Recipe, corpus: TrainingCorpus, progress: Progress) -> Fitted:
    """A plain linear head for all classes, on fruit alone."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    network = build_backbone(recipe.architecture, recipe.input_size, recipe.weights)
    graph = to_litert(network)
    learned = [sample for sample in corpus.study().training if sample.target]
    stage = "Embedding what is learned from"
    embeddings = embed_samples(LiteRTBackbone(graph), learned, recipe.input_size, progress, stage)
    weights = balanced_weights(*balance_keys(learned, corpus.classes))
    linear = fit_head(embeddings, targets(learned), weights, recipe.head_l2)

    def probabilities(found: NDArray[np.float32]) -> NDArray[np.float32]:
        return softmax(linear(found))

    parameters = network.count_params() + linear.weights.size + linear.bias.size
    return Fitted(graph, probabilities, parameters)
