"""Everything after the feature map, in NumPy: pooling, classes, confidence, rejection.

Serving, evaluation and both kinds of training share these lines.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# So many directions of an embedding are kept for drift.
FEATURES = 32
_LARGEST = np.finfo(np.float16).max


@dataclass(frozen=True)
class Rejection:
    """Statistics that tell known classes from everything else.

    An embedding is scaled to length 1; its distance is the squared Euclidean distance to the
    nearest class mean in a space in which the spread within the classes is the same in every
    direction: the Mahalanobis distance of K. Lee et al., "A Simple Unified Framework for Detecting
    Out-of-Distribution Samples" (2018), on the leading directions. `projection` is float32
    [channels, directions], the directions in order of the spread within classes, widest last;
    `means` [classes, directions]; a distance over `threshold` is no known class.
    """

    projection: FloatArray
    means: FloatArray
    threshold: float

    def distance(self, embeddings: FloatArray) -> FloatArray:
        """Distances float32 [n] of embeddings float32 [n, channels]; 0 or more."""
        return self.distance_of(self.project(embeddings))

    def project(self, embeddings: FloatArray) -> FloatArray:
        """Embeddings float32 [n, channels] in the space of the distance: [n, directions]."""
        projected: FloatArray = unit(embeddings) @ self.projection
        return projected

    def distance_of(self, projected: FloatArray) -> FloatArray:
        """Distances float32 [n] of what `project` gave."""
        offsets = projected[:, None, :] - self.means[None]
        nearest: FloatArray = np.square(offsets).sum(axis=2).min(axis=1)
        return nearest

    def with_threshold(self, threshold: float) -> "Rejection":
        return replace(self, threshold=threshold)


@dataclass(frozen=True)
class Head:
    """A linear classifier on pooled features, its temperature and its rejection.

    `weights` float32 [channels, classes], `bias` float32 [classes]. Probabilities are the softmax
    of logits / `temperature` (C. Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """

    weights: FloatArray
    bias: FloatArray
    temperature: float
    rejection: Rejection

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Logits float32 [n, classes] of embeddings float32 [n, channels]."""
        return embeddings @ self.weights + self.bias

    def probabilities(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated probabilities float32 [n, classes]; each row sums to 1."""
        return softmax(self.logits(embeddings) / np.float32(self.temperature))

    def recognises(self, embeddings: FloatArray) -> NDArray[np.bool_]:
        """Whether each embedding looks like any known class: bool [n]."""
        return self.rejection.distance(embeddings) <= self.rejection.threshold

    def save(self, path: Path) -> None:
        np.savez(
            path,
            weights=self.weights,
            bias=self.bias,
            temperature=np.float32(self.temperature),
            rejection_projection=self.rejection.projection,
            rejection_means=self.rejection.means,
            rejection_threshold=np.float32(self.rejection.threshold),
        )

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote. Raises ValueError or KeyError for another kind of file."""
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        rejection = Rejection(
            stored["rejection_projection"],
            stored["rejection_means"],
            float(stored["rejection_threshold"]),
        )
        return cls(stored["weights"], stored["bias"], float(stored["temperature"]), rejection)


def features(projected: FloatArray) -> NDArray[np.float16]:
    """The part of `Rejection.project` that is kept of each photograph: float16 [n, up to 32].

    The directions of the widest spread: there a change of what is photographed shows most.
    """
    leading = np.clip(projected[:, -FEATURES:], -_LARGEST, _LARGEST)
    return leading.astype(np.float16)


def pool(feature_map: FloatArray) -> FloatArray:
    """Average over space: float32 [n, h, w, channels] to embeddings [n, channels]."""
    n, height, width, channels = feature_map.shape
    pooled: FloatArray = feature_map.reshape(n, height * width, channels).mean(axis=1)
    return pooled


def unit(embeddings: FloatArray) -> FloatArray:
    """Each row of float32 [n, channels] scaled to length 1; a row of zeros stays."""
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    scaled: FloatArray = embeddings / np.maximum(length, 1e-12)
    return scaled


def softmax(logits: FloatArray) -> FloatArray:
    """Row-wise softmax of float32 [n, classes]."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return result
