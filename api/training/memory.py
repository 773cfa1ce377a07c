"""When memory runs out while training: advice in place of a traceback."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar

import tensorflow as tf

from api.errors import ProblemError
from api.training.recipe import Recipe

P = ParamSpec("P")
T = TypeVar("T")


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
