"""The devices that training runs on: the CPU, one GPU, or several."""

from http import HTTPStatus

import keras
import tensorflow as tf

from api.core.errors import ProblemError
from api.training.recipe import Recipe


class UnevenBatchError(ProblemError):
    code = "uneven-batch"

    def __init__(self, batch: int, devices: int) -> None:
        super().__init__(
            f"A batch of {batch} pictures cannot be divided evenly among {devices} devices. "
            f"Choose a batch size that is a multiple of {devices}."
        )


class OutOfMemoryError(ProblemError):
    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "out-of-memory"

    def __init__(self, recipe: Recipe) -> None:
        size = recipe.input_size
        batch = f"smaller batches (batch size {recipe.batch_size // 2})"
        super().__init__(
            f"Memory ran out while {recipe.architecture} was trained on batches of "
            f"{recipe.batch_size} pictures of {size} x {size} pixels. Try "
            f"{batch if recipe.batch_size > 1 else 'closing other programs'}, a smaller input "
            "size, or a smaller architecture, such as mobilenet_v2 or custom_cnn."
        )


def make_deterministic() -> None:
    """Make runs on a CPU reproducible. Call this before anything is built."""
    if not tf.config.list_physical_devices("GPU"):
        # On a GPU, the gradient of a depthwise convolution may have no deterministic kernel.
        tf.config.experimental.enable_op_determinism()


def strategy(batch_size: int) -> tf.distribute.Strategy:
    """All GPUs if there are several, else TensorFlow's default.

    Raises UnevenBatchError if they cannot share a batch evenly.
    """
    gpus = list_gpus()
    if len(gpus) < 2:
        return tf.distribute.get_strategy()
    if round_down(batch_size) != batch_size:
        raise UnevenBatchError(batch_size, len(gpus))
    return tf.distribute.MirroredStrategy(gpus)


def round_down(count: int) -> int:
    """The largest multiple of the number of devices that is at most `count`.

    Keras fails if one device gets a smaller share of a batch than the others, or none.
    """
    devices = max(1, len(list_gpus()))
    return count // devices * devices


def list_gpus() -> list[str]:
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def replicate(backbone: keras.Model) -> keras.Model:
    """`backbone` itself on one device, a mirrored copy on several. Call this in a strategy's scope.

    The original stays on one device, since `predict_on_batch` on several repeats every output.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return backbone
    copy = keras.models.clone_model(backbone)
    copy.set_weights(backbone.get_weights())
    return copy
