"""Where training runs: on the CPU, on the GPU where there is one, on several where there are."""

import keras
import tensorflow as tf


def prepare() -> None:
    """Make a run on a CPU give the same result each time; call it before anything is built."""
    if not tf.config.list_physical_devices("GPU"):
        # On a GPU the gradient of a depthwise convolution may have no deterministic form and fail.
        tf.config.experimental.enable_op_determinism()


def strategy() -> tf.distribute.Strategy:
    """All GPUs where there are several; else TensorFlow's default, the one GPU or the CPU."""
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def replicate(backbone: keras.Model) -> keras.Model:
    """`backbone` itself for one device, a copy on each for several; call it in a strategy's scope.

    The original stays on one device, since `predict_on_batch` on several gives every answer
    several times.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return backbone
    copy = keras.models.clone_model(backbone)
    copy.set_weights(backbone.get_weights())
    return copy
