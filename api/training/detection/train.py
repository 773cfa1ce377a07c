"""Training a detector, from a corpus to a LiteRT graph and its description."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from api.core.errors import ProblemError
from api.core.progress import Progress, silent
from api.model.detector import Detector, probe_detector
from api.model.engines.litert import LiteRTBackbone
from api.model.manifest import BoxedFingerprint, DetectorManifest
from api.model.package import Package
from api.training import devices
from api.training.corpus import TrainingCorpus
from api.training.detection.network import STRIDE, build_detector, detection_loss
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.restore import restore_network
from api.training.detection.sampler import Material, read_material, scene_batches
from api.training.detection.targets import CHANNELS
from api.training.detection.threshold import choose_threshold
from api.training.export import to_litert
from api.training.train import TrainingDivergedError

# Used until the threshold is chosen.
FIRST_THRESHOLD = 0.3


class NoPlacesError(ProblemError):
    code = "no-places"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"Nothing in {folder} shows where a fruit is, so no detector can learn to find fruits. "
            "Add photos on a white or paper background, or photos with boxes (boxes.csv)."
        )


@dataclass(frozen=True)
class TrainedDetector:
    """A detector as stored in a package."""

    graph: bytes
    manifest: DetectorManifest

    @classmethod
    def of_package(cls, package: Package) -> "TrainedDetector | None":
        """The detector that a package has; None for a package without one."""
        manifest = package.manifest.detector
        if package.detector is None or manifest is None:
            return None
        return cls(package.detector, manifest)


def train_detector(
    recipe: DetectorRecipe,
    corpus: TrainingCorpus,
    progress: Progress = silent,
    *,
    start: TrainedDetector | None = None,
    catalog: BoxedFingerprint | None = None,
) -> TrainedDetector:
    """Train on the training split, and choose the threshold on the validation split.
    Deterministic on a CPU.

    `start`, a detector of the same recipe, is trained further on the fruits that it finds, for
    fewer steps. `catalog` goes into the manifest. Raises what `build_network` and
    `restore_network` raise, NoPlacesError, TrainingDivergedError or ExportError.
    """
    fruits = start.manifest.fruits if start else None
    material = read_material(corpus, "train", fruits)
    if not material.shows_places:
        raise NoPlacesError(corpus.listing.root)
    network = fit_network(recipe, material, progress, start.graph if start else None)
    graph = to_litert(network, half_precision=True)
    manifest = DetectorManifest(
        fruits=material.fruits,
        input_size=recipe.input_size,
        score_threshold=FIRST_THRESHOLD,
        max_overlap=recipe.max_overlap,
        created_at=datetime.now(UTC).replace(microsecond=0),
        parameters=network.count_params(),
        recipe=recipe.as_dict(),
        catalog=catalog,
    )
    detector = Detector(graph, manifest)
    validation = read_material(corpus, "validation", material.fruits)
    threshold = choose_threshold(detector, validation, recipe, progress)
    changes = {
        "score_threshold": threshold,
        "probe": probe_detector(LiteRTBackbone(graph), manifest),
    }
    return TrainedDetector(graph, manifest.model_copy(update=changes))


def fit_network(
    recipe: DetectorRecipe,
    material: Material,
    progress: Progress = silent,
    start: bytes | None = None,
) -> keras.Model:
    """The network in Keras, trained from scratch or from the graph of another."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    devices.make_deterministic()
    fruits = len(material.fruits)
    if start is None:
        network = build_detector(recipe, fruits)
    else:
        network, recipe = restore_network(start, recipe, fruits), recipe.for_tuning
    network.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=recipe.learning_rate / 25,
                warmup_target=recipe.learning_rate,
                warmup_steps=recipe.warm_up_steps,
                decay_steps=max(1, recipe.steps - recipe.warm_up_steps),
            ),
            recipe.weight_decay,
            clipnorm=5.0,
            use_ema=True,
            ema_momentum=recipe.averaging,
        ),
        detection_loss,
    )
    # If the first step made the variables, it would be traced twice.
    network.optimizer.build(network.trainable_variables)
    done = itertools.count(1)
    record = network.fit(
        _dataset(recipe, material),
        steps_per_epoch=recipe.steps,
        epochs=1,
        callbacks=[
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: progress(
                    "Training the detector", next(done), recipe.steps
                )
            ),
        ],
        shuffle=False,
        verbose=0,
    )
    if not np.isfinite(record.history["loss"]).all():
        raise TrainingDivergedError(recipe.learning_rate)
    return network


def _dataset(recipe: DetectorRecipe, material: Material) -> tf.data.Dataset:
    size, grid = recipe.input_size, recipe.input_size // STRIDE

    def batches() -> Iterator[tuple[Any, Any]]:
        yield from scene_batches(recipe, material, grid)

    signature = (
        tf.TensorSpec((None, size, size, 3), tf.uint8),
        tf.TensorSpec((None, grid, grid, CHANNELS), tf.float32),
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
