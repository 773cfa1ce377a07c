import dataclasses

import pytest
import tensorflow as tf

from api.training.corpus import TrainingSplit
from api.training.devices import OutOfMemoryError
from api.training.recipe import Recipe
from api.training.train import train

RECIPE = Recipe(architecture="custom_cnn", weights="none", input_size=64, batch_size=16)


@pytest.mark.parametrize(
    "error", [tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), MemoryError()]
)
def test_out_of_memory_error_gives_advice(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise error

    monkeypatch.setattr("api.training.train.build_backbone", exhausted)
    with pytest.raises(OutOfMemoryError) as caught:
        train(RECIPE, TrainingSplit((), [], []))
    for part in ("custom_cnn", "batch size 8", "64 x 64", "smaller input", "architecture"):
        assert part in caught.value.detail


def test_batch_size_one_is_not_halved() -> None:
    error = OutOfMemoryError(dataclasses.replace(RECIPE, batch_size=1))
    assert "batch size 0" not in error.detail
