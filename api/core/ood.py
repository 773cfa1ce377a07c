"""Out-of-distribution detection: does a photograph show any of the classes at all?

Two statistics of an embedding are added. One is learned: a logit for "none of them", fitted to
photographs of other produce and other things, which knows near misses such as a peach. The other
needs no examples: the Mahalanobis distance to the nearest class mean of K. Lee et al., "A Simple
Unified Framework for Detecting Out-of-Distribution Samples" (2018), which grows with everything
that is unlike the training photographs.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, batch_invariant_matmul, l2_normalize

# So many directions of an embedding are kept for drift.
FEATURES = 32
# What a unit of distance adds to the logit of "none of them". Between 0.01 and 0.1 the rejection
# of other produce differs by 3 points; 0.01 is best for near misses (docs/log/calibration.md).
DISTANCE_WEIGHT = np.float32(0.01)
_LARGEST = np.finfo(np.float16).max


@dataclass(frozen=True)
class OodDetector:
    """Statistics that tell known classes from everything else.

    `projection` float32 [channels, directions] takes an embedding of length 1 to a space in which
    the spread within the classes is the same in every direction, the widest last; `means` float32
    [classes, directions] are the class means there. A score over `threshold` is no known class.
    """

    projection: FloatArray
    means: FloatArray
    threshold: float

    def project(self, embeddings: FloatArray) -> FloatArray:
        """Embeddings float32 [n, channels] in the space of the distance: [n, directions]."""
        return batch_invariant_matmul(l2_normalize(embeddings), self.projection)

    def distance(self, projected: FloatArray) -> FloatArray:
        """Squared distance float32 [n], 0 or more, of what `project` gave."""
        offsets = projected[:, None, :] - self.means[None]
        nearest: FloatArray = np.square(offsets).sum(axis=2).min(axis=1)
        return nearest

    def score(self, projected: FloatArray, none_logit: FloatArray) -> FloatArray:
        """How unlike all classes: float32 [n], any real number, larger for stranger.

        `none_logit` float32 [n] is the log-odds of "none of them" against all classes, 0 where it
        was not learned.
        """
        result: FloatArray = none_logit + DISTANCE_WEIGHT * self.distance(projected)
        return result

    def with_threshold(self, threshold: float) -> "OodDetector":
        return replace(self, threshold=threshold)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As `from_arrays` reads it: the projection in half the bytes."""
        directions, scale = quantize(self.projection)
        return {
            "ood_projection": directions,
            "ood_scale": scale,
            "ood_means": self.means,
            "ood_threshold": np.array(self.threshold, np.float32),
        }

    @classmethod
    def from_arrays(cls, stored: dict[str, NDArray[Any]]) -> "OodDetector":
        """Read what `arrays` gave. Raises KeyError."""
        projection = dequantize(stored["ood_projection"], stored["ood_scale"])
        return cls(projection, stored["ood_means"], float(stored["ood_threshold"]))


def quantize(projection: FloatArray) -> tuple[NDArray[np.float16], FloatArray]:
    """float32 [channels, directions] as float16 of the same shape, -1..1, and float32 [directions].

    Their product is the projection, rounded. It is the largest part of a saved head.
    """
    scale = np.maximum(np.abs(projection).max(axis=0), np.finfo(np.float32).tiny)
    return (projection / scale).astype(np.float16), scale


def dequantize(directions: NDArray[Any], scale: NDArray[np.float32] | np.float32) -> FloatArray:
    """The projection that `quantize` took apart: float32 [channels, directions].

    In Fortran order, one direction after another, the product with a single embedding takes two
    thirds of the time.
    """
    return np.asfortranarray(directions * scale)


def drift_features(projected: FloatArray) -> NDArray[np.float16]:
    """The part of `OodDetector.project` that is kept of each photograph: float16 [n, up to 32].

    The directions of the widest spread: there a change of what is photographed shows most.
    """
    leading = np.clip(projected[:, -FEATURES:], -_LARGEST, _LARGEST)
    return leading.astype(np.float16)
