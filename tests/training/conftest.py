"""What tests that train share."""

import warnings
from typing import Any

import pytest
import tensorflow as tf

from api.training.train import train


@pytest.fixture
def eager_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling a step of a network takes longer than the few steps of a test."""

    def eagerly(*arguments: Any) -> Any:
        tf.config.run_functions_eagerly(True)
        try:
            with warnings.catch_warnings():
                # Said of the generator of views, which is Python in any case.
                warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
                return train(*arguments)
        finally:
            tf.config.run_functions_eagerly(False)

    monkeypatch.setattr("api.training.grader.train", eagerly)
