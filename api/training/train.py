"""Full training: fine-tune a backbone and its two heads on photographs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from api.core.heads import Linear
from api.core.progress import OnEpoch, Progress, silent, unheard
from api.training import devices
from api.training.backbones.architectures import build_backbone
from api.training.balance import balanced_weights
from api.training.corpus import TrainingSplit
from api.training.devices import advises_on_memory
from api.training.heads import fit_freshness, fit_head, freshness_of, kind_targets, parts_of
from api.training.recipe import Recipe
from api.training.samples import Sample, balance_keys, inputs, targets
from api.training.views import UNKNOWN, batches, steps_of

PREDICT_BATCH = 64


@dataclass(frozen=True)
class Trained:
    """The outcome: a backbone (uint8 photographs to feature maps), its heads, and the curves.

    `kinds` and `freshness` are as in `predict.head.Head`. `history` has one entry an epoch with
    loss, accuracy, val_loss, val_accuracy, of both questions together.
    """

    backbone: keras.Model
    kinds: Linear
    freshness: Linear | None
    history: tuple[dict[str, float], ...]


@advises_on_memory
def train(
    recipe: Recipe,
    study: TrainingSplit,
    progress: Progress = silent,
    on_epoch: OnEpoch = unheard,
) -> Trained:
    """Train on what a study may learn from. The same values give the same result on a CPU.

    Stage one fits the heads on the untouched backbone; stage two fine-tunes all together on
    augmented views, so that the first steps do not tear up what the backbone knows; where it
    knows nothing (weights "none"), stage one is left out, and so is the way back at the end
    (`Recipe.kept_share`). Uses the GPU where there is one; where there are several, each batch is
    divided among them.

    Raises what `build_backbone` raises, UnevenBatchError or OutOfMemoryError.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    devices.prepare()
    classes, training = study.classes, study.training
    backbone = build_backbone(recipe.architecture, recipe.input_size, recipe.weights)
    if recipe.weights != "none":
        _freeze(backbone, recipe.frozen_stride)
    before = [np.array(weights) for weights in backbone.get_weights()]

    question = _Question.of(classes, training)
    validation = question.answerable(study.validation)
    validation = validation[: devices.even(len(validation))]
    heads = None
    if recipe.weights != "none":
        embeddings = embed(backbone, inputs(training, recipe.input_size), progress)
        heads = question.fit(embeddings, training, classes, recipe.head_l2)

    steps = steps_of(recipe)
    with devices.strategy(recipe.batch_size).scope():
        replicated = devices.replicate(backbone)
        model, dense = _with_heads(replicated, question.outputs, recipe.dropout)
        if heads is not None:
            dense.set_weights([heads.weights, heads.bias])
        model.compile(
            keras.optimizers.AdamW(
                _schedule(recipe, steps),
                recipe.weight_decay,
                clipnorm=1.0,
                use_ema=True,
                ema_momentum=recipe.averaging,
            ),
            question.loss(),
            metrics=[question.accuracy()],
        )
    wanted = question.wanted(training)
    record = model.fit(
        _fed(recipe, training, classes, wanted),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        validation_data=(inputs(validation, recipe.input_size), question.wanted(validation)),
        validation_batch_size=devices.even(PREDICT_BATCH),
        callbacks=[
            # First, so that validation sees the averaged weights; the last epoch's are kept.
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            _Report(progress, on_epoch, steps, recipe.epochs),
        ],
        shuffle=False,
        verbose=0,
    )
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    curves = zip(*(record.history[name] for name in names), strict=True)
    history = tuple(dict(zip(names, map(float, epoch), strict=True)) for epoch in curves)
    share = recipe.kept_share if recipe.weights != "none" else 0.0
    after = replicated.get_weights()
    backbone.set_weights(
        [share * old + (1 - share) * new for old, new in zip(before, after, strict=True)]
    )
    both = Linear(*dense.get_weights())
    return Trained(backbone, *question.parted(both), history)


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


@dataclass(frozen=True)
class _Question:
    """What the heads are asked: so many `kinds` ("none of them" included), and perhaps freshness.

    Both lie side by side in one row: float32 [n, kinds] and one column of freshness.
    """

    kind_of: NDArray[np.int64]
    kinds: int
    graded: bool

    @classmethod
    def of(cls, classes: Sequence[str], samples: Sequence[Sample]) -> "_Question":
        graded = {0.0, 1.0} <= {sample.freshness for sample in samples if sample.target}
        kind_of, _ = parts_of(classes, graded)
        return cls(kind_of, kind_targets(targets(samples), kind_of).shape[1], graded)

    def answerable(self, samples: Sequence[Sample]) -> list[Sample]:
        """Those samples whose kind is among the answers: "none of them" may not be."""
        none = self.kinds > int(self.kind_of.max()) + 1
        return [sample for sample in samples if none or sample.target]

    @property
    def outputs(self) -> int:
        return self.kinds + self.graded

    def wanted(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Targets of the kinds, then the freshness or UNKNOWN: float32 [n, kinds + 1]."""
        of_kind = kind_targets(targets(samples), self.kind_of)
        missing = self.kinds - of_kind.shape[1]
        freshness = np.nan_to_num(freshness_of([s.freshness for s in samples]), nan=UNKNOWN)
        return np.concatenate(
            [of_kind, np.zeros((len(samples), missing), np.float32), freshness[:, None]], axis=1
        )

    def fit(
        self,
        embeddings: NDArray[np.float32],
        samples: Sequence[Sample],
        classes: Sequence[str],
        l2: float,
    ) -> Linear:
        """Both heads on fixed embeddings, side by side."""
        weights = balanced_weights(*balance_keys(samples, classes))
        kinds = fit_head(embeddings, self.wanted(samples)[:, : self.kinds], weights, l2)
        freshness = freshness_of([sample.freshness for sample in samples])
        fresh = fit_freshness(embeddings, freshness, weights, l2) if self.graded else None
        if fresh is None:
            return kinds
        return Linear(
            np.concatenate([kinds.weights, fresh.weights], axis=1),
            np.concatenate([kinds.bias, fresh.bias]),
        )

    def parted(self, both: Linear) -> tuple[Linear, Linear | None]:
        kinds = Linear(both.weights[:, : self.kinds], both.bias[: self.kinds])
        if not self.graded:
            return kinds, None
        return kinds, Linear(both.weights[:, self.kinds :], both.bias[self.kinds :])

    def loss(self) -> Callable[[Any, Any], Any]:
        """Cross-entropy of the kinds, and of the freshness where that is known."""

        def loss(wanted: Any, logits: Any) -> Any:
            of_kind = keras.losses.categorical_crossentropy(
                wanted[:, : self.kinds], logits[:, : self.kinds], from_logits=True
            )
            if not self.graded:
                return of_kind
            freshness, logit = wanted[:, self.kinds], logits[:, self.kinds]
            right = ops.maximum(freshness, 0.0)
            # Binary cross-entropy from the logit, in the form that does not overflow.
            of_freshness = ops.softplus(logit) - right * logit
            return of_kind + ops.where(freshness >= 0, of_freshness, 0.0)

        return loss

    def accuracy(self) -> Callable[[Any, Any], Any]:
        """Kind right and, where it is known, freshness right: 0 or 1 a sample."""

        def accuracy(wanted: Any, logits: Any) -> Any:
            right = ops.equal(
                ops.argmax(wanted[:, : self.kinds], axis=1),
                ops.argmax(logits[:, : self.kinds], axis=1),
            )
            if self.graded:
                freshness, logit = wanted[:, self.kinds], logits[:, self.kinds]
                same = ops.equal(freshness > 0.5, logit > 0)
                right = ops.logical_and(right, ops.logical_or(freshness < 0, same))
            return ops.cast(right, "float32")

        return accuracy


def _freeze(backbone: keras.Model, stride: int) -> None:
    """Leave the layers as they are that see the picture at most `stride` times smaller."""
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


def _schedule(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    warm_up = max(1, round(recipe.warm_up_epochs * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 25,
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
        decay_steps=max(1, recipe.epochs * steps - warm_up),
    )


def _fed(
    recipe: Recipe,
    samples: Sequence[Sample],
    classes: Sequence[str],
    wanted: NDArray[np.float32],
) -> tf.data.Dataset:
    """`views.batches` as Keras wants them."""

    def pairs() -> Iterator[tuple[Any, Any]]:
        for batch in batches(recipe, samples, classes):
            # A patch may have made a sound fruit rotten.
            yield (
                batch.pixels,
                np.concatenate([wanted[batch.rows, :-1], batch.freshness[:, None]], axis=1),
            )

    size = recipe.input_size
    signature = (
        tf.TensorSpec((None, size, size, 3), tf.uint8),
        tf.TensorSpec((None, wanted.shape[1]), tf.float32),
    )
    return tf.data.Dataset.from_generator(pairs, output_signature=signature)


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
