"""Full training: fine-tune a backbone and its head on photographs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from api.networks.architectures import build_backbone
from api.predict.head import Linear
from api.progress import OnEpoch, Progress, silent, unheard
from api.training import devices
from api.training.head import fit_head
from api.training.memory import advises_on_memory
from api.training.recipe import Recipe
from api.training.samples import Sample, balanced_weights, inputs, targets
from api.training.views import batches, steps_of

PREDICT_BATCH = 64


@dataclass(frozen=True)
class Trained:
    """The outcome: a backbone (uint8 photographs to feature maps), its head, and the curves.

    `history` has one entry an epoch with loss, accuracy, val_loss, val_accuracy.
    """

    backbone: keras.Model
    classifier: Linear
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

    steps = steps_of(recipe, training)
    with devices.strategy(recipe.batch_size).scope():
        replicated = devices.replicate(backbone)
        model, dense = _classifier(replicated, wanted.shape[1], recipe.dropout)
        if head is not None:
            dense.set_weights([head.weights, head.bias])
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
        _fed(recipe, training, sample_weights),
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
    return Trained(backbone, Linear(*dense.get_weights()), history)


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


def _fed(
    recipe: Recipe, samples: Sequence[Sample], weights: NDArray[np.float32]
) -> tf.data.Dataset:
    """`views.batches` as Keras wants them."""

    def triples() -> Iterator[tuple[Any, Any, Any]]:
        for batch in batches(recipe, samples, weights):
            yield batch.pixels, batch.targets, batch.weights

    size, classes = recipe.input_size, len(samples[0].target)
    signature = (
        tf.TensorSpec((None, size, size, 3), tf.uint8),
        tf.TensorSpec((None, classes), tf.float32),
        tf.TensorSpec((None,), tf.float32),
    )
    return tf.data.Dataset.from_generator(triples, output_signature=signature)


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
