"""Full training: fine-tune a backbone and its head on photographs."""

import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from PIL import Image

from api.networks.architectures import build_backbone
from api.progress import OnEpoch, Progress, silent, unheard
from api.training import devices
from api.training.augment import Views, augment
from api.training.head import fit_head
from api.training.memory import advises_on_memory
from api.training.recipe import Recipe
from api.training.samples import Sample, balanced_weights, epoch_order, inputs, read, targets
from api.training.surroundings import cut_out

PREDICT_BATCH = 64
BATCHES_AHEAD = 4
CUT_OUTS = 200


@dataclass(frozen=True)
class Trained:
    """The outcome: a backbone (uint8 photographs to feature maps), its head, and the curves.

    `weights` float32 [channels, classes], `bias` float32 [classes]; `history` has one entry an
    epoch with loss, accuracy, val_loss, val_accuracy.
    """

    backbone: keras.Model
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    history: tuple[dict[str, float], ...]


@advises_on_memory
def train(
    recipe: Recipe,
    training: Sequence[Sample],
    validation: Sequence[Sample],
    progress: Progress = silent,
    on_epoch: OnEpoch = unheard,
) -> Trained:
    """Train on `training`, stop by `validation`. The same values give the same result on a CPU.

    Stage one fits a linear head on the untouched backbone; stage two fine-tunes both together on
    augmented views, so that the first steps do not tear up what the backbone knows; where it
    knows nothing (weights "none"), stage one is left out. Uses the GPU where there is one; where
    there are several, each batch is divided among them, and the last few photographs that cannot
    be are left out.

    Raises what `build_backbone` raises, UnevenBatchError or OutOfMemoryError.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    devices.prepare()
    training = training[: devices.even(len(training))]
    validation = validation[: devices.even(len(validation))]
    backbone = build_backbone(recipe.architecture, recipe.input_size, recipe.weights)

    wanted = targets(training)
    sample_weights = balanced_weights(training)
    head = None
    if recipe.weights != "none":
        embeddings = embed(backbone, inputs(training, recipe.input_size), progress)
        head = fit_head(embeddings, wanted, sample_weights, recipe.head_l2)

    steps = -(-len(epoch_order(training, recipe.boxed_share, recipe.seed, 0)) // recipe.batch_size)
    with devices.strategy(recipe.batch_size).scope():
        replicated = devices.replicate(backbone)
        model, dense = _classifier(replicated, wanted.shape[1], recipe.dropout)
        if head is not None:
            dense.set_weights(list(head))
        model.compile(
            keras.optimizers.AdamW(
                _schedule(recipe, steps),
                recipe.weight_decay,
                clipnorm=1.0,
                use_ema=True,
                ema_momentum=recipe.averaging,
            ),
            keras.losses.CategoricalCrossentropy(from_logits=True),
            weighted_metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        )
    record = model.fit(
        _views(recipe, training, wanted, sample_weights),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        validation_data=(inputs(validation, recipe.input_size), targets(validation)),
        validation_batch_size=devices.even(PREDICT_BATCH),
        callbacks=[
            # First, so that validation and early stopping see the averaged weights.
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.EarlyStopping(
                patience=recipe.patience, restore_best_weights=True, start_from_epoch=1
            ),
            _Report(progress, on_epoch, steps, recipe.epochs),
        ],
        shuffle=False,
        verbose=0,
    )
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    curves = zip(*(record.history[name] for name in names), strict=True)
    history = tuple(dict(zip(names, map(float, epoch), strict=True)) for epoch in curves)
    if replicated is not backbone:
        backbone.set_weights(replicated.get_weights())
    weights, bias = dense.get_weights()
    return Trained(backbone, weights, bias, history)


def embed(
    backbone: keras.Model, pixels: NDArray[np.uint8], progress: Progress = silent
) -> NDArray[np.float32]:
    """Pooled features float32 [n, channels] of uint8 [n, size, size, 3]."""
    parts = []
    for start in range(0, len(pixels), PREDICT_BATCH):
        maps = backbone.predict_on_batch(pixels[start : start + PREDICT_BATCH])
        parts.append(np.asarray(maps).mean(axis=(1, 2)))
        progress("Embedding", min(start + PREDICT_BATCH, len(pixels)), len(pixels))
    return np.concatenate(parts)


def _classifier(
    backbone: keras.Model, classes: int, dropout: float
) -> tuple[keras.Model, layers.Dense]:
    dense = layers.Dense(classes, name="head")
    x = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    logits = dense(layers.Dropout(dropout, name="dropout")(x))
    return keras.Model(backbone.input, logits, name="classifier"), dense


def _schedule(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    warm_up = max(1, round(recipe.warm_up_epochs * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 25,
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
        decay_steps=max(1, recipe.epochs * steps - warm_up),
    )


def _views(
    recipe: Recipe,
    samples: Sequence[Sample],
    wanted: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> tf.data.Dataset:
    """Batches of augmented views for ever, each sample once an epoch in an order of its own.

    A view depends on seed, epoch and sample alone, never on the threads that make it.
    """

    neighbours = _cut_outs(recipe, samples)

    def view(epoch: int, index: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng((recipe.seed, epoch, index))
        sample = samples[index]
        image = read(sample, int(rng.integers(len(sample.copies))), rng.uniform(0.0, 0.4))
        background = recipe.background_share if sample.studio else 0.0
        kind = Views(recipe.clean_share, background, recipe.neighbour_share)
        return augment(image, recipe.input_size, rng, kind, neighbours)

    def batch(epoch: int, chosen: NDArray[np.int64]) -> tuple[Any, Any, Any]:
        pixels = np.stack([view(epoch, int(index)) for index in chosen])
        return pixels, wanted[chosen], weights[chosen]

    def plan() -> Iterator[tuple[int, NDArray[np.int64]]]:
        for epoch in itertools.count():
            order = epoch_order(samples, recipe.boxed_share, recipe.seed, epoch)
            for start in range(0, len(order), recipe.batch_size):
                yield epoch, order[start : start + recipe.batch_size]

    def batches() -> Iterator[tuple[Any, Any, Any]]:
        # Ahead of the training step, whatever op determinism leaves of TensorFlow's prefetching.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ahead: deque[Future[tuple[Any, Any, Any]]] = deque()
            for epoch, chosen in plan():
                ahead.append(pool.submit(batch, epoch, chosen))
                if len(ahead) > BATCHES_AHEAD:
                    yield ahead.popleft().result()

    size, classes = recipe.input_size, wanted.shape[1]
    signature = (
        tf.TensorSpec((None, size, size, 3), tf.uint8),
        tf.TensorSpec((None, classes), tf.float32),
        tf.TensorSpec((None,), tf.float32),
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _cut_outs(recipe: Recipe, samples: Sequence[Sample]) -> list[Image.Image]:
    """Fruit to put around others, from at most CUT_OUTS photographs."""
    if not recipe.neighbour_share:
        return []
    studio = [sample for sample in samples if sample.studio]
    chosen = np.random.default_rng(recipe.seed).permutation(len(studio))[:CUT_OUTS]
    fruit = (cut_out(read(studio[index])) for index in chosen)
    return [found for found in fruit if found is not None]


class _Report(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types.
    """Tells how many batches of the whole training are done, and the figures of each epoch."""

    def __init__(self, progress: Progress, on_epoch: OnEpoch, steps: int, epochs: int) -> None:
        super().__init__()
        self._progress = progress
        self._on_epoch = on_epoch
        self._total = steps * epochs
        self._done = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._done += 1
        self._progress("Fine-tuning", self._done, self._total)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._on_epoch({name: float(value) for name, value in (logs or {}).items()})
