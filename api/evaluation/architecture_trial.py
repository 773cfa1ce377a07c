"""One row of the architecture comparison: train, score the test split, time the graph."""

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
from api.model.engines.litert import LiteRTBackbone
from api.training.backbones.architectures import build_backbone
from api.training.balance import balanced_weights
from api.training.corpus import TrainingCorpus
from api.training.export import check_agreement, to_litert
from api.training.grader import embed_samples, train_grader
from api.training.heads import fit_head
from api.training.recipe import Recipe
from api.training.samples import balance_keys, load_inputs, targets

WARM_UP_RUNS = 20
TIMED_RUNS = 200


@dataclass(frozen=True)
class Trial:
    """`frozen` leaves the backbone unchanged and fits one linear head."""

    recipe: Recipe
    frozen: bool = False


@dataclass(frozen=True)
class TrainedModel:
    """An exported backbone and its head.

    `probabilities` maps embeddings float32 [n, channels] to [n, classes]; `parameters` counts both.
    """

    graph: bytes
    probabilities: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    parameters: int


def run_trial(trial: Trial, corpus: TrainingCorpus, progress: Progress = silent) -> dict[str, Any]:
    """Train and measure; JSON-ready. Raises what training raises, and ExportError."""
    recipe = trial.recipe
    model = (_linear_probe if trial.frozen else _fine_tune)(recipe, corpus, progress)
    backbone = LiteRTBackbone(model.graph)
    samples = corpus.file_samples("test")
    stage = "Embedding the test photos"
    embeddings = embed_samples(backbone, samples, recipe.input_size, progress, stage)
    metrics = evaluate(
        model.probabilities(embeddings),
        targets(samples).argmax(axis=1),
        corpus.classes,
        [file.photograph for file in corpus.files("test")],
    )
    per_class = metrics["per_class"].values()
    return {
        "architecture": recipe.architecture,
        "weights": Path(recipe.weights).name,
        "input_size": recipe.input_size,
        "training": "head alone on the untouched backbone" if trial.frozen else "fine-tuned",
        "files": metrics["files"],
        "photographs": metrics["photographs"],
        "accuracy": metrics["accuracy"],
        "accuracy_interval_95": metrics["accuracy_interval_95"],
        "macro_precision": mean(row["precision"] for row in per_class),
        "macro_recall": mean(row["recall"] for row in per_class),
        "macro_f1": metrics["macro_f1"],
        "parameters": model.parameters,
        "megabytes": len(model.graph) / 1e6,
        "milliseconds": median_latency(backbone, recipe.input_size),
        "recipe": recipe.as_dict(),
    }


def median_latency(backbone: LiteRTBackbone, size: int) -> float:
    """Median milliseconds of a forward pass of one image on one core, after warm-up."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    times = []
    for _ in range(WARM_UP_RUNS + TIMED_RUNS):
        started = time.perf_counter()
        backbone(pixels)
        times.append(time.perf_counter() - started)
    return median(times[WARM_UP_RUNS:]) * 1000


def _fine_tune(recipe: Recipe, corpus: TrainingCorpus, progress: Progress) -> TrainedModel:
    grader = train_grader(recipe, corpus.training_split(), progress)
    pixels = load_inputs(corpus.photographs("test"), recipe.input_size)
    head = grader.head
    check_agreement(grader.keras_backbone, grader.backbone, pixels, head.log_probabilities)
    parameters = grader.keras_backbone.count_params() + head.parameters
    return TrainedModel(grader.graph, head.probabilities, parameters)


def _linear_probe(recipe: Recipe, corpus: TrainingCorpus, progress: Progress) -> TrainedModel:
    """One linear head over all classes, without out-of-distribution samples."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    network = build_backbone(recipe.architecture, recipe.input_size, recipe.weights)
    graph = to_litert(network)
    samples = [sample for sample in corpus.training_split().training if sample.target]
    stage = "Embedding the training photos"
    embeddings = embed_samples(LiteRTBackbone(graph), samples, recipe.input_size, progress, stage)
    weights = balanced_weights(*balance_keys(samples, corpus.classes))
    linear = fit_head(embeddings, targets(samples), weights, recipe.head_l2)
    parameters = network.count_params() + linear.weights.size + linear.bias.size
    return TrainedModel(graph, lambda embeddings: softmax(linear(embeddings)), parameters)
