"""Whether a photo plainly shows several fruits, from the feature map that it is graded by.

A small network over the places of the map, in NumPy, so that every prediction can say so at no
noticeable cost. Finding the fruits is the detector's work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, batch_invariant_matmul, sigmoid

PREFIX = "several_"
NAMES = ("reduce", "reduce_bias", "kernel", "kernel_bias", "output", "output_bias")
# The probability from which a photo plainly shows several fruits.
PLAINLY = 0.9


@dataclass(frozen=True)
class SeveralFruits:
    """`reduce` float32 [channels, k], `kernel` [3, 3, k, m] and `output` [2 m, 1], each with its
    bias: a 1x1 and a 3x3 convolution with ReLU, then the maximum and the mean over all places, and
    a logit.
    """

    reduce: FloatArray
    reduce_bias: FloatArray
    kernel: FloatArray
    kernel_bias: FloatArray
    output: FloatArray
    output_bias: FloatArray

    def probability(self, feature_maps: FloatArray) -> FloatArray:
        """float32 [n, h, w, channels] to [n]. Batch-invariant, as `core.arrays`."""
        n, height, width, channels = feature_maps.shape
        places = feature_maps.reshape(n, height * width, channels)
        reduced = np.maximum(np.matmul(places, self.reduce) + self.reduce_bias, 0)
        # `np.pad` takes ten times as long.
        padded = np.zeros((n, height + 2, width + 2, reduced.shape[2]), np.float32)
        padded[:, 1:-1, 1:-1] = reduced.reshape(n, height, width, -1)
        around = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        around_each = np.concatenate(around, axis=3).reshape(n, height * width, -1)
        kernel = self.kernel.reshape(-1, self.kernel.shape[3])
        mixed = np.maximum(np.matmul(around_each, kernel) + self.kernel_bias, 0)
        pooled = np.concatenate([mixed.max(axis=1), mixed.mean(axis=1)], axis=1)
        return sigmoid(batch_invariant_matmul(pooled, self.output)[:, 0] + self.output_bias)

    def shows_several(self, feature_maps: FloatArray) -> NDArray[np.bool_]:
        """float32 [n, h, w, channels] to bool [n]."""
        return self.probability(feature_maps) >= PLAINLY

    def arrays(self) -> dict[str, Any]:
        """As they are stored in a head's file."""
        return {PREFIX + name: np.asarray(getattr(self, name), np.float32) for name in NAMES}

    @classmethod
    def from_arrays(
        cls, stored: Mapping[str, NDArray[Any]], channels: int
    ) -> "SeveralFruits | None":
        """None for a head without such arrays. Raises ValueError or KeyError if they are not those
        of `arrays` for feature maps of `channels`."""
        if f"{PREFIX}reduce" not in stored:
            return None
        own = {name: stored[PREFIX + name] for name in NAMES}
        k, m = own["reduce"].shape[-1], own["kernel"].shape[-1]
        shapes = ((channels, k), (k,), (3, 3, k, m), (m,), (2 * m, 1), (1,))
        if tuple(array.shape for array in own.values()) != shapes:
            raise ValueError("the arrays of 'several fruits' do not fit each other")
        return cls(**own)
