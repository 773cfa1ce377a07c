"""Export from Keras to LiteRT, checked on real photos."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.errors import ProblemError
from api.model.predictor import Backbone

MAX_LOGIT_DIFFERENCE = 1e-2


# Logits of two classes that differ by less are a tie, which rounding decides: a network that has
# learned nothing gives all classes the same logit.
TIE = 1e-4


class ExportError(ProblemError):
    """The exported graph does not agree with Keras."""

    code = "export-failed"


@dataclass(frozen=True)
class Agreement:
    """Exported graph against Keras on real photos; a tie counts as the same class."""

    photographs: int
    same_class: int
    largest_logit_difference: float


def to_litert(backbone: keras.Model, half_precision: bool = False) -> bytes:
    """Convert a network (uint8 to feature map) with batch size 1. With `half_precision`, its
    weights take half the space and are expanded on loading.

    Only built-in operations are allowed, so a graph that needs TensorFlow's (Flex) at inference
    fails here.
    """
    image = tf.TensorSpec((1, *backbone.input_shape[1:]), tf.uint8, name="image")
    single = tf.function(lambda image: backbone(image, training=False), input_signature=[image])
    # From a Keras model, the converter writes it to disk and reads it back: five times as long.
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [single.get_concrete_function()], single
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if half_precision:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    # The converter prints a page of tensor names.
    with redirect_stdout(io.StringIO()):
        graph: bytes = converter.convert()
    return graph


def check_agreement(
    backbone: keras.Model,
    exported: Backbone,
    pixels: NDArray[np.uint8],
    logits: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> Agreement:
    """Run `pixels` uint8 [n, size, size, 3] through both. Raises ExportError if they disagree.

    `logits` maps embeddings float32 [n, channels] to [n, classes].
    """
    images = [image[None] for image in pixels]
    maps = [np.asarray(backbone.predict_on_batch(image)) for image in images]
    expected = logits(np.concatenate([pool(feature_map) for feature_map in maps]))
    actual = logits(np.concatenate([pool(exported(image)) for image in images]))
    # How much less likely Keras finds the graph's class than its own.
    behind = expected.max(axis=1) - expected[np.arange(len(actual)), actual.argmax(axis=1)]
    agreement = Agreement(
        photographs=len(pixels),
        same_class=int((behind <= TIE).sum()),
        largest_logit_difference=float(np.abs(expected - actual).max()),
    )
    # Written so that a difference of NaN is not close.
    is_close = agreement.largest_logit_difference <= MAX_LOGIT_DIFFERENCE
    if agreement.same_class < len(pixels) or not is_close:
        raise ExportError(f"The exported graph does not agree with Keras: {agreement}.")
    return agreement
