"""Synthetic examples for the insights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.insights.current_examples import Examples
from api.model.replay_buffer import APPEARANCE_COLUMNS


def make_examples(*class_names: str, **columns: Any) -> Examples:
    """One example per name: shipped, in the train split, 200 x 100 pixels, in its own source
    group."""
    count = len(class_names)
    appearance = np.tile(np.array([0.5, 0.5, 30, 200, 100], np.float32), (count, 1))
    values: dict[str, NDArray[Any]] = {
        "class_names": np.array(class_names, np.str_),
        "splits": np.full(count, "train"),
        "origins": np.full(count, "shipped"),
        "photographs": np.array([f"{name}/{k}" for k, name in enumerate(class_names)], np.str_),
        "image_ids": np.full(count, ""),
        "appearance": appearance.reshape(count, len(APPEARANCE_COLUMNS)),
        "copies": np.ones(count, np.int32),
        "replay_rows": np.arange(count),
    }
    return Examples(**{**values, **{name: np.asarray(value) for name, value in columns.items()}})
