"""Out-of-distribution detection: does an image show any of the classes?

The score adds two statistics of an embedding. One is learned: a logit for "none of them", trained
on images of other produce and other things, for near misses such as a peach. The other needs no
OOD examples: the Mahalanobis distance to the nearest class mean of K. Lee et al., "A Simple Unified
Framework for Detecting Out-of-Distribution Samples" (2018).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, batch_invariant_matmul, l2_normalize

# Directions of an embedding that are recorded to detect drift.
FEATURES = 32
# Weight of the distance against the "none of them" logit. Between 0.01 and 0.1 the rejection
# of other produce differs by 3 points; 0.01 is best for near misses (docs/log/calibration.md).
DISTANCE_WEIGHT = np.float32(0.01)
_LARGEST = np.finfo(np.float16).max


@dataclass(frozen=True)
class OodDetector:
    """`projection` float32 [channels, directions] whitens the within-class covariance of embeddings
    of length 1, the direction of the largest variance last; `means` float32 [classes, directions]
    are the projected class means. A score above `threshold` is out of distribution.
    """

    projection: FloatArray
    means: FloatArray
    threshold: float

    def project(self, embeddings: FloatArray) -> FloatArray:
        """Whitened embeddings: float32 [n, channels] to [n, directions]."""
        return batch_invariant_matmul(l2_normalize(embeddings), self.projection)

    def distance(self, projected: FloatArray) -> FloatArray:
        """Squared Mahalanobis distance float32 [n] to the nearest class mean."""
        offsets = projected[:, None, :] - self.means[None]
        nearest: FloatArray = np.square(offsets).sum(axis=2).min(axis=1)
        return nearest

    def score(self, projected: FloatArray, none_logit: FloatArray) -> FloatArray:
        """OOD score float32 [n]: any real number, larger for more unusual images.

        `none_logit` float32 [n] is `Head.none_logit`.
        """
        return none_logit + DISTANCE_WEIGHT * self.distance(projected)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For `from_arrays`, with the projection quantized."""
        directions, scale = quantize(self.projection)
        return {
            "ood_projection": directions,
            "ood_scale": scale,
            "ood_means": self.means,
            "ood_threshold": np.array(self.threshold, np.float32),
        }

    @classmethod
    def from_arrays(cls, stored: dict[str, NDArray[Any]]) -> "OodDetector":
        """Read the result of `arrays`. Raises KeyError."""
        projection = dequantize(stored["ood_projection"], stored["ood_scale"])
        return cls(projection, stored["ood_means"], float(stored["ood_threshold"]))


def quantize(projection: FloatArray) -> tuple[NDArray[np.float16], FloatArray]:
    """float32 [channels, directions] to float16 of the same shape, -1..1, and its scale float32
    [directions]. The projection is the largest part of a saved head.
    """
    scale = np.maximum(np.abs(projection).max(axis=0), np.finfo(np.float32).tiny)
    return (projection / scale).astype(np.float16), scale


def dequantize(directions: NDArray[Any], scale: NDArray[np.float32] | np.float32) -> FloatArray:
    """The inverse of `quantize`: float32 [channels, directions].

    In Fortran order: the product with a single embedding takes two thirds of the time.
    """
    return np.asfortranarray(directions * scale)


def drift_features(projected: FloatArray) -> NDArray[np.float16]:
    """The last FEATURES directions of `OodDetector.project`: float16 [n, up to 32].

    They have the largest variance, so a change of the input shows most there.
    """
    leading = np.clip(projected[:, -FEATURES:], -_LARGEST, _LARGEST)
    return leading.astype(np.float16)
