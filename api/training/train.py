"""Full training: fine-tune a backbone with both heads."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from api.core.errors import ProblemError
from api.core.heads import Linear
from api.core.progress import OnEpoch, Progress, silent
from api.training import devices
from api.training.backbones.architectures import build_backbone
from api.training.corpus import TrainingSplit
from api.training.head_layout import HeadLayout
from api.training.recipe import Recipe
from api.training.samples import Sample, load_inputs
from api.training.views import steps_per_epoch, view_batches

PREDICT_BATCH = 64


class TrainingDivergedError(ProblemError):
    code = "training-diverged"

    def __init__(self, learning_rate: float) -> None:
        super().__init__(
            "The training diverged: its loss is no longer a number, so nothing was learned. Try a "
            f"smaller learning rate than {learning_rate:g}, and look for damaged photographs."
        )


@dataclass(frozen=True)
class TrainedNetwork:
    """A backbone (uint8 images to feature maps) and its heads, laid out as `layout` says.

    `history` has loss, accuracy, val_loss and val_accuracy of both heads together, by epoch.
    """

    backbone: keras.Model
    layout: HeadLayout
    heads: Linear
    history: tuple[dict[str, float], ...]


def train(
    recipe: Recipe,
    split: TrainingSplit,
    progress: Progress = silent,
    on_epoch: OnEpoch = silent,
) -> TrainedNetwork:
    """Train on a split. Deterministic on a CPU; several GPUs share each batch.

    First fits the heads on the frozen backbone, so that the first gradients do not damage its
    features; then fine-tunes everything on augmented views; then interpolates towards the
    pretrained weights (`Recipe.kept_share`). With weights "none" only the second stage runs.

    Raises what `build_backbone` raises, UnevenBatchError, OutOfMemoryError or
    TrainingDivergedError.
    """
    try:
        return _train(recipe, split, progress, on_epoch)
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise devices.OutOfMemoryError(recipe) from error


def _train(
    recipe: Recipe, split: TrainingSplit, progress: Progress, on_epoch: OnEpoch
) -> TrainedNetwork:
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    devices.make_deterministic()
    classes, training = split.classes, split.training
    pretrained = recipe.weights != "none"
    backbone = build_backbone(recipe.architecture, recipe.input_size, recipe.weights)
    if pretrained:
        _freeze(backbone, recipe.frozen_stride)
    initial_weights = [np.array(weights) for weights in backbone.get_weights()]

    layout = HeadLayout.of(classes, training)
    validation = layout.with_target(split.validation)
    validation = validation[: devices.round_down(len(validation))]
    heads = None
    if pretrained:
        embeddings = embed(backbone, load_inputs(training, recipe.input_size), progress)
        heads = layout.fit(embeddings, training, classes, recipe.head_l2)

    steps = steps_per_epoch(recipe)
    with devices.strategy(recipe.batch_size).scope():
        replicated = devices.replicate(backbone)
        model, dense = _with_heads(replicated, layout.outputs, recipe.dropout)
        if heads is not None:
            dense.set_weights([heads.weights, heads.bias])
        model.compile(
            keras.optimizers.AdamW(
                _learning_rate(recipe, steps),
                recipe.weight_decay,
                clipnorm=1.0,
                use_ema=True,
                ema_momentum=recipe.averaging,
            ),
            layout.loss,
            metrics=[keras.metrics.MeanMetricWrapper(layout.accuracy, "accuracy")],
        )
        # The metric and the optimizer get their variables before the first step: a step that makes
        # variables is traced a second time, which takes longer than many steps.
        model.optimizer.build(model.trainable_variables)
    done, total = itertools.count(1), steps * recipe.epochs
    record = model.fit(
        _dataset(recipe, training, classes, layout.targets(training)),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        validation_data=(load_inputs(validation, recipe.input_size), layout.targets(validation)),
        validation_batch_size=devices.round_down(PREDICT_BATCH),
        callbacks=[
            # First, so that validation sees the averaged weights; the last epoch's are kept.
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: progress("Fine-tuning", next(done), total),
                on_epoch_end=lambda epoch, logs: on_epoch(
                    {name: float(value) for name, value in logs.items()}
                ),
            ),
        ],
        shuffle=False,
        verbose=0,
    )
    if not np.isfinite(record.history["loss"] + record.history["val_loss"]).all():
        raise TrainingDivergedError(recipe.learning_rate)
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    curves = zip(*(record.history[name] for name in names), strict=True)
    history = tuple(dict(zip(names, map(float, epoch), strict=True)) for epoch in curves)
    share = recipe.kept_share if pretrained else 0.0
    final_weights = replicated.get_weights()
    backbone.set_weights(
        [
            share * initial + (1 - share) * final
            for initial, final in zip(initial_weights, final_weights, strict=True)
        ]
    )
    return TrainedNetwork(backbone, layout, Linear(*dense.get_weights()), history)


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


def _freeze(backbone: keras.Model, stride: int) -> None:
    """Freeze the layers whose output is downsampled at most `stride` times."""
    network, size = backbone.layers[-1], backbone.input_shape[1]
    for layer in network.layers:
        shape = layer.output.shape
        if len(shape) == 4 and shape[1] * stride >= size:
            layer.trainable = False


def _with_heads(
    backbone: keras.Model, outputs: int, dropout: float
) -> tuple[keras.Model, layers.Dense]:
    dense = layers.Dense(outputs, name="heads")
    x = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    logits = dense(layers.Dropout(dropout, name="dropout")(x))
    return keras.Model(backbone.input, logits, name="classifier"), dense


def _learning_rate(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear warm-up, then cosine decay over the rest of the epochs of `steps` steps each."""
    warm_up = max(1, round(recipe.warm_up_epochs * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 25,
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
        decay_steps=max(1, recipe.epochs * steps - warm_up),
    )


def _dataset(
    recipe: Recipe,
    samples: Sequence[Sample],
    classes: Sequence[str],
    row_targets: NDArray[np.float32],
) -> tf.data.Dataset:
    """`view_batches` with their targets; `row_targets` are the targets of the samples."""

    def pairs() -> Iterator[tuple[Any, Any]]:
        for batch in view_batches(recipe, samples, classes):
            # The freshness of the view: a lesion may have made sound fruit rotten.
            freshness = batch.freshness[:, None]
            yield batch.pixels, np.concatenate([row_targets[batch.rows, :-1], freshness], axis=1)

    size = recipe.input_size
    signature = (
        tf.TensorSpec((None, size, size, 3), tf.uint8),
        tf.TensorSpec((None, row_targets.shape[1]), tf.float32),
    )
    return tf.data.Dataset.from_generator(pairs, output_signature=signature)
