"""Everything after the feature map, in NumPy: pooling, classes, confidence, rejection.

Serving, evaluation and both kinds of training share these lines.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# The largest share of an expert: two opinions are right more often than either (docs/LOG.md).
MOST = np.float32(0.5)
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
        return by_row(unit(embeddings), self.projection)

    def distance_of(self, projected: FloatArray) -> FloatArray:
        """Distances float32 [n] of what `project` gave."""
        offsets = projected[:, None, :] - self.means[None]
        nearest: FloatArray = np.square(offsets).sum(axis=2).min(axis=1)
        return nearest

    def with_threshold(self, threshold: float) -> "Rejection":
        return replace(self, threshold=threshold)


@dataclass(frozen=True)
class Linear:
    """`weights` float32 [channels, outputs], `bias` float32 [outputs]."""

    weights: FloatArray
    bias: FloatArray

    def __call__(self, embeddings: FloatArray) -> FloatArray:
        """float32 [n, channels] to [n, outputs]."""
        return by_row(embeddings, self.weights) + self.bias

    @property
    def parameters(self) -> int:
        return self.weights.size + self.bias.size


@dataclass(frozen=True)
class Expert:
    """A second classifier, for photographs like those of the class folders, by their texture.

    Channels of an embedding are those of the first classifier, then those of the texture, which
    `classifier` takes to as many outputs as there are classes, and last how far the network's gate
    is open (`networks.gate`). As far as that is, the expert has a share of up to MOST in the
    answer. `temperature` is its own.
    """

    classifier: Linear
    temperature: float

    @property
    def channels(self) -> int:
        """How many channels an embedding has for it, the gate included."""
        return len(self.classifier.weights) + 1

    def texture(self, embeddings: FloatArray) -> FloatArray:
        """The channels of the texture: float32 [n, any]."""
        return embeddings[:, -self.channels : -1]

    def share(self, embeddings: FloatArray) -> FloatArray:
        """How much of the answer is this expert's: float32 [n], 0..MOST."""
        return MOST * opening(embeddings)

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Logits float32 [n, classes], not yet calibrated."""
        return self.classifier(self.texture(embeddings))


@dataclass(frozen=True)
class Head:
    """A linear classifier on pooled features, its temperature, the rejection, perhaps an expert.

    `weights` float32 [channels, classes], `bias` float32 [classes]. Calibrated logits are logits /
    `temperature` (C. Guo et al., "On Calibration of Modern Neural Networks", 2017). Where there is
    an expert, its channels come after those of the classifier, and both have a say in the
    proportion that the expert's gate gives (R. Jacobs et al., "Adaptive Mixtures of Local Experts",
    1991). The rejection takes all channels.
    """

    weights: FloatArray
    bias: FloatArray
    temperature: float
    rejection: Rejection
    expert: Expert | None = None

    @property
    def channels(self) -> int:
        """How many channels an embedding has."""
        return len(self.weights) + (self.expert.channels if self.expert else 0)

    @property
    def parameters(self) -> int:
        """How many numbers decide on the class."""
        parts = [Linear(self.weights, self.bias)]
        if self.expert:
            parts.append(self.expert.classifier)
        return sum(part.parameters for part in parts)

    @property
    def thresholds(self) -> dict[str, float]:
        """What a manifest says of it."""
        own = {"expert_temperature": self.expert.temperature} if self.expert else {}
        return {
            "temperature": self.temperature,
            **own,
            "rejection_distance": self.rejection.threshold,
        }

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated logits float32 [n, classes] of embeddings float32 [n, channels]."""
        plain = by_row(embeddings[:, : len(self.weights)], self.weights) + self.bias
        logits: FloatArray = plain / np.float32(self.temperature)
        if self.expert is None:
            return logits
        share = self.expert.share(embeddings)[:, None]
        own = self.expert.logits(embeddings) / np.float32(self.expert.temperature)
        return (1 - share) * logits + share * own

    def probabilities(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated probabilities float32 [n, classes]; each row sums to 1."""
        return softmax(self.logits(embeddings))

    def temperatures(self, embeddings: FloatArray) -> FloatArray:
        """What the logits of each row were divided by: float32 [n]."""
        cold = np.full(len(embeddings), 1 / self.temperature, np.float32)
        if self.expert:
            share = self.expert.share(embeddings)
            cold = (1 - share) * cold + share / np.float32(self.expert.temperature)
        return np.float32(1) / cold

    def evidence(self, embedding: FloatArray, class_index: int) -> FloatArray:
        """How much each channel of one embedding [1, channels] speaks for a class: [channels]."""
        weights = self.weights[:, class_index] / np.float32(self.temperature)
        if self.expert is None:
            return weights
        share = self.expert.share(embedding)[0]
        own = self.expert.classifier.weights[:, class_index] / np.float32(self.expert.temperature)
        of_gate = np.zeros(1, np.float32)
        return np.concatenate([(1 - share) * weights, share * own, of_gate])

    def recognises(self, embeddings: FloatArray) -> NDArray[np.bool_]:
        """Whether each embedding looks like any known class: bool [n]."""
        return self.rejection.distance(embeddings) <= self.rejection.threshold

    def save(self, path: Path) -> None:
        directions, scale = halved(self.rejection.projection)
        arrays: dict[str, Any] = {
            "weights": self.weights,
            "bias": self.bias,
            "temperature": np.float32(self.temperature),
            "rejection_projection": directions,
            "rejection_scale": scale,
            "rejection_means": self.rejection.means,
            "rejection_threshold": np.float32(self.rejection.threshold),
        }
        if self.expert:
            arrays |= {
                "expert_weights": self.expert.classifier.weights,
                "expert_bias": self.expert.classifier.bias,
                "expert_temperature": np.float32(self.expert.temperature),
            }
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote. Raises ValueError or KeyError for another kind of file."""
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        scale = stored.get("rejection_scale", np.float32(1))
        rejection = Rejection(
            restored(stored["rejection_projection"], scale),
            stored["rejection_means"],
            float(stored["rejection_threshold"]),
        )
        expert = None
        if "expert_weights" in stored:
            classifier = Linear(stored["expert_weights"], stored["expert_bias"])
            expert = Expert(classifier, float(stored["expert_temperature"]))
        temperature = float(stored["temperature"])
        return cls(stored["weights"], stored["bias"], temperature, rejection, expert)


def halved(projection: FloatArray) -> tuple[NDArray[np.float16], FloatArray]:
    """The projection of a `Rejection` in half the bytes, and a scale for each direction.

    It is the largest part of a saved head. float32 [channels, directions] to float16 of the same
    shape, -1..1, and float32 [directions]; their product is the projection, rounded.
    """
    scale = np.maximum(np.abs(projection).max(axis=0), np.finfo(np.float32).tiny)
    return (projection / scale).astype(np.float16), scale


def restored(directions: NDArray[Any], scale: NDArray[np.float32] | np.float32) -> FloatArray:
    """The projection that `halved` took apart: float32 [channels, directions].

    One direction lies after the other in memory: so the product with a single embedding, which
    has to fetch all of it, takes two thirds of the time.
    """
    return np.asfortranarray(directions * scale)


def opening(embeddings: FloatArray) -> FloatArray:
    """How far the gate of an `Expert` is open for each of float32 [n, channels]: [n], 0..1."""
    return embeddings[:, -1]


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


def by_row(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """The product float32 [n, outputs] of [n, channels] and [channels, outputs], a row at a time.

    As one product it would depend in its last bits on how many rows there are: the grade of a
    photograph does not depend on who else is in its turn.
    """
    product: FloatArray = np.matmul(rows[:, None], matrix)[:, 0]
    return product


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
