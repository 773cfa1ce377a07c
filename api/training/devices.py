"""Where training runs, and what to do where its memory runs out.

On the CPU, on the GPU where there is one, on several where there are.
"""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar

import keras
import tensorflow as tf

from api.core.errors import ProblemError
from api.training.recipe import Recipe

P = ParamSpec("P")
T = TypeVar("T")


class UnevenBatchError(ProblemError):
    code = "uneven-batch"

    def __init__(self, batch: int, devices: int) -> None:
        super().__init__(
            f"A batch of {batch} pictures cannot be divided evenly among {devices} devices. "
            f"Choose a batch size that is a multiple of {devices}."
        )


def prepare() -> None:
    """Make a run on a CPU give the same result each time; call it before anything is built."""
    if not tf.config.list_physical_devices("GPU"):
        # On a GPU the gradient of a depthwise convolution may have no deterministic form and fail.
        tf.config.experimental.enable_op_determinism()


def strategy(batch: int) -> tf.distribute.Strategy:
    """All GPUs where there are several; else TensorFlow's default, the one GPU or the CPU.

    Raises UnevenBatchError where they cannot have the same share of `batch` pictures.
    """
    names = distributed_over()
    if len(names) < 2:
        return tf.distribute.get_strategy()
    if even(batch) != batch:
        raise UnevenBatchError(batch, len(names))
    return tf.distribute.MirroredStrategy(names)


def even(count: int) -> int:
    """The largest number up to `count` of which all devices have the same share.

    Keras fails where a device has less of a batch than the others, or nothing.
    """
    devices = max(1, len(distributed_over()))
    return count // devices * devices


def distributed_over() -> list[str]:
    """The devices that share a batch."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]


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


class OutOfMemoryError(ProblemError):
    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "out-of-memory"

    def __init__(self, recipe: Recipe) -> None:
        size = recipe.input_size
        batch = f"smaller batches (batch size {recipe.batch_size // 2})"
        super().__init__(
            f"Memory ran out while {recipe.architecture} was trained on batches of "
            f"{recipe.batch_size} pictures of {size} x {size} pixels. Try "
            f"{batch if recipe.batch_size > 1 else 'other programs closed'}, a smaller input size, "
            "or an architecture with less in it, such as mobilenet_v2 or custom_cnn."
        )


def advises_on_memory(
    work: Callable[Concatenate[Recipe, P], T],
) -> Callable[Concatenate[Recipe, P], T]:
    """Make `work` raise OutOfMemoryError where TensorFlow or NumPy find no memory."""

    @functools.wraps(work)
    def advised(recipe: Recipe, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(recipe, *args, **kwargs)
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise OutOfMemoryError(recipe) from error

    return advised
