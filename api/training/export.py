"""From Keras to LiteRT, with proof that both say the same."""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from api.core.arrays import pool
from api.core.errors import ProblemError
from api.model.predictor import Backbone

LARGEST_DIFFERENCE = 1e-2


class ExportError(ProblemError):
    """The exported graph is not what was trained; the message says how."""

    code = "export-failed"


@dataclass(frozen=True)
class Agreement:
    """Exported graph against Keras on real photographs."""

    photographs: int
    same_class: int
    largest_logit_difference: float


def to_litert(backbone: keras.Model) -> bytes:
    """Convert a backbone (uint8 to feature map) for one photograph at a time.

    The converter may take only built-in operations, so a graph that would ask for TensorFlow's
    (Flex) at serving time fails here.
    """
    fixed = keras.Input(backbone.input_shape[1:], batch_size=1, dtype="uint8", name="image")
    single = keras.Model(fixed, backbone(fixed, training=False), name="backbone")
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
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
    """Grade `pixels` uint8 [n, size, size, 3] both ways. Raises ExportError where they disagree.

    `logits` takes embeddings float32 [n, channels] to [n, classes].
    """
    pairs = [_both(backbone, exported, image[None]) for image in pixels]
    ours = logits(np.concatenate([pair[0] for pair in pairs]))
    theirs = logits(np.concatenate([pair[1] for pair in pairs]))
    agreement = Agreement(
        photographs=len(pixels),
        same_class=int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum()),
        largest_logit_difference=float(np.abs(ours - theirs).max()),
    )
    different = agreement.same_class < len(pixels)
    if different or agreement.largest_logit_difference > LARGEST_DIFFERENCE:
        raise ExportError(f"The exported graph does not agree with Keras: {agreement}.")
    return agreement


def _both(
    backbone: keras.Model, exported: Backbone, image: NDArray[np.uint8]
) -> Sequence[NDArray[np.float32]]:
    return pool(np.asarray(backbone.predict_on_batch(image))), pool(exported(image))
