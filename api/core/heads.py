"""The heads on the embedding, in NumPy: fruit, freshness, calibration and OOD detection.

Shared by serving, evaluation and both kinds of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, batch_invariant_matmul, logsumexp, sigmoid, softmax
from api.core.labels import Level, read_label
from api.core.npz import load_npz
from api.core.ood import OodDetector
from api.core.several import SeveralFruits

# The columns of `FreshnessHead.levels`, from worst to best.
LEVEL_COLUMNS: tuple[Level, ...] = ("rotten", "past_best", "fresh")
# A head for a thousand classes on 8,192 channels takes 40 MB.
MAX_BYTES = 100 * 2**20
# Packages up to November 2026 may hold a second expert, which is ignored.
_OLD_EXPERT = "expert_weights"


@dataclass(frozen=True)
class Linear:
    """`weights` float32 [channels, outputs], `bias` float32 [outputs]."""

    weights: FloatArray
    bias: FloatArray

    def __call__(self, embeddings: FloatArray) -> FloatArray:
        """float32 [n, channels] to [n, outputs]."""
        return batch_invariant_matmul(embeddings, self.weights) + self.bias


@dataclass(frozen=True)
class FreshnessHead:
    """One freshness scale with two thresholds, shared by all fruit.

    The single output of `linear`, divided by `temperature`, is the logit of "not rotten"; its
    sigmoid is the freshness score. Fruit is rotten below `rotten_below` and fresh from `fresh_from`
    on. The levels follow the proportional odds model of P. McCullagh, "Regression Models for
    Ordinal Data" (1980).
    """

    linear: Linear
    temperature: float
    rotten_below: float
    fresh_from: float

    def logit(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated logit float32 [n] of "not rotten" for embeddings float32 [n, channels]."""
        return self.linear(embeddings)[:, 0] / np.float32(self.temperature)

    def levels(self, embeddings: FloatArray) -> FloatArray:
        """Probability of each of LEVEL_COLUMNS: float32 [n, 3], rows summing to 1."""
        logit = self.logit(embeddings)
        edible = sigmoid(logit)
        upper = np.float32(np.log(self.fresh_from / (1 - self.fresh_from)))
        fresh = np.minimum(sigmoid(logit - upper), edible)
        return np.stack([sigmoid(-logit), edible - fresh, fresh], axis=1)


@dataclass(frozen=True)
class Head:
    """Two linear heads on one embedding; the product of their probabilities is that of a class.

    A kind is a fruit. `kinds` has one output per kind and, if trained with OOD images, "none of
    them" as the last. Logits are divided by `temperature` (C. Guo et al., "On Calibration of Modern
    Neural Networks", 2017). `kind_of` int64 [classes] is the kind of each class, `parts` float32
    [3, classes] the share of each level that belongs to it. `freshness` is None where no kind has
    classes of different freshness. `several`, on the feature map before pooling, is None in
    packages made without scenes of several fruits.
    """

    kinds: Linear
    temperature: float
    kind_of: NDArray[np.int64]
    parts: FloatArray
    freshness: FreshnessHead | None
    ood: OodDetector
    several: SeveralFruits | None = None

    @property
    def channels(self) -> int:
        """The channels of an embedding."""
        return len(self.kinds.weights)

    @property
    def classes(self) -> int:
        return len(self.kind_of)

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        linears = [self.kinds, *([self.freshness.linear] if self.freshness else [])]
        return sum(linear.weights.size + linear.bias.size for linear in linears)

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds, as in the manifest."""
        thresholds = {"temperature": self.temperature, "ood_score": self.ood.threshold}
        if self.freshness:
            thresholds |= {
                "freshness_temperature": self.freshness.temperature,
                "rotten_below": self.freshness.rotten_below,
                "fresh_from": self.freshness.fresh_from,
            }
        return thresholds

    @property
    def uncalibrated(self) -> "Head":
        """The same head with both temperatures 1."""
        freshness = replace(self.freshness, temperature=1.0) if self.freshness else None
        return replace(self, temperature=1.0, freshness=freshness)

    def probabilities(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated probabilities float32 [n, classes] of embeddings float32 [n, channels].

        Rows sum to 1: they are conditional on being one of the classes.
        """
        return self._probabilities(embeddings, self.kinds(embeddings))

    def log_probabilities(self, embeddings: FloatArray) -> FloatArray:
        """The logarithm of `probabilities`, at least -100: float32 [n, classes]."""
        logs: FloatArray = np.log(np.maximum(self.probabilities(embeddings), np.float32(1e-43)))
        return np.maximum(logs, np.float32(-100))

    def ood_score(self, embeddings: FloatArray) -> FloatArray:
        """OOD score float32 [n]; above `ood.threshold` an image is not recognised."""
        return self.ood.score(self.ood.project(embeddings), self.none_logit(self.kinds(embeddings)))

    def recognises(self, embeddings: FloatArray) -> NDArray[np.bool_]:
        """Whether each embedding is in distribution: bool [n]."""
        return self.ood_score(embeddings) <= self.ood.threshold

    def predict(self, embeddings: FloatArray) -> tuple[FloatArray, NDArray[np.bool_], FloatArray]:
        """`probabilities`, `recognises` and `ood.project` in one pass, for serving."""
        logits = self.kinds(embeddings)
        projected = self.ood.project(embeddings)
        recognised = self.ood.score(projected, self.none_logit(logits)) <= self.ood.threshold
        return self._probabilities(embeddings, logits), recognised, projected

    def none_logit(self, kind_logits: FloatArray) -> FloatArray:
        """Log-odds float32 [n] of "none of them" from the logits of `kinds`; 0 if not learned."""
        known = self._known_kinds
        if kind_logits.shape[1] == known:
            return np.zeros(len(kind_logits), np.float32)
        return kind_logits[:, known] - logsumexp(kind_logits[:, :known])

    def cam_weights(self, class_index: int) -> FloatArray:
        """Weight of each channel for a class, for a class activation map: float32 [channels]."""
        kinds = self.kinds.weights[:, : self._known_kinds]
        differs = kinds[:, self.kind_of[class_index]] - kinds.mean(axis=1)
        weights: FloatArray = differs / np.float32(self.temperature)
        rotten, _, fresh = self.parts[:, class_index]
        if self.freshness and rotten != fresh:
            own = self.freshness.linear.weights[:, 0] / np.float32(self.freshness.temperature)
            weights = weights + (own if fresh else -own)
        return weights

    def save(self, path: Path | BinaryIO) -> None:
        arrays: dict[str, Any] = {
            "kind_weights": self.kinds.weights,
            "kind_bias": self.kinds.bias,
            "temperature": np.float32(self.temperature),
            "kind_of": self.kind_of,
            "parts": self.parts,
            **self.ood.arrays(),
            **(self.several.arrays() if self.several else {}),
        }
        if freshness := self.freshness:
            arrays |= {
                "freshness_weights": freshness.linear.weights,
                "freshness_bias": freshness.linear.bias,
                "freshness_scale": np.array(
                    [freshness.temperature, freshness.rotten_below, freshness.fresh_from]
                ),
            }
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read a file that `save` wrote, or one of a package up to November 2026.

        Raises ValueError or KeyError for any other file.
        """
        stored = load_npz(path, MAX_BYTES)
        for name, array in stored.items():
            if not np.issubdtype(array.dtype, np.number):
                raise ValueError(f"{name} holds no numbers")
            # A threshold may be infinite: then nothing is rejected.
            if np.isnan(array).any() or (np.isinf(array).any() and not name.endswith("threshold")):
                raise ValueError(f"{name} holds numbers that are not finite")
        if "weights" in stored:
            return _from_old_format(stored)
        freshness = None
        if "freshness_weights" in stored:
            linear = Linear(stored["freshness_weights"], stored["freshness_bias"])
            freshness = FreshnessHead(linear, *stored["freshness_scale"].tolist())
        return cls(
            kinds=Linear(stored["kind_weights"], stored["kind_bias"]),
            temperature=float(stored["temperature"]),
            kind_of=stored["kind_of"],
            parts=stored["parts"],
            freshness=freshness,
            ood=OodDetector.from_arrays(stored),
            several=SeveralFruits.from_arrays(stored, len(stored["kind_weights"])),
        )

    @property
    def _known_kinds(self) -> int:
        return int(self.kind_of.max()) + 1

    def kind_probabilities(self, kind_logits: FloatArray) -> FloatArray:
        """Calibrated probability of each kind float32 [n, kinds] from the logits of `kinds`."""
        return softmax(kind_logits[:, : self._known_kinds] / np.float32(self.temperature))

    def _probabilities(self, embeddings: FloatArray, kind_logits: FloatArray) -> FloatArray:
        probabilities = self.kind_probabilities(kind_logits)[:, self.kind_of]
        if self.freshness is None:
            return probabilities
        levels = self.freshness.levels(embeddings)
        share: FloatArray = (levels[:, :, None] * self.parts[None]).sum(axis=1)
        return probabilities * share


def class_parts(classes: Sequence[str]) -> tuple[NDArray[np.int64], FloatArray]:
    """`Head.kind_of` int64 [classes] and `Head.parts` float32 [3, classes].

    A level without a class of its own belongs to the kind's nearest class: with fresh and rotten
    apples, those past their best count as fresh; the only class of a kind has all levels.
    """
    labels = [read_label(name) for name in classes]
    kinds = list(dict.fromkeys(label.fruit for label in labels))
    kind_of = np.array([kinds.index(label.fruit) for label in labels], np.int64)
    parts = np.zeros((len(LEVEL_COLUMNS), len(classes)), np.float32)
    # A class without a level counts as fresh if its kind has other classes.
    at = [LEVEL_COLUMNS.index(label.level or "fresh") for label in labels]
    for k in range(len(kinds)):
        own = np.flatnonzero(kind_of == k)
        for level in range(len(LEVEL_COLUMNS)):
            # Of two at the same distance, the fresher one.
            nearest = min(own, key=lambda c: (abs(at[c] - level), -at[c]))
            same = own[[at[c] == at[nearest] for c in own]]
            parts[level, same] = 1 / len(same)
    return kind_of, parts


def _from_old_format(stored: dict[str, NDArray[Any]]) -> Head:
    """A head up to November 2026: a plain classifier, each class a kind of its own.

    The channels of a second expert get no weight.
    """
    weights, bias = stored["weights"], stored["bias"]
    channels, classes = len(stored["rejection_projection"]), len(bias)
    if _OLD_EXPERT in stored:
        none = np.zeros((channels - len(weights), classes), np.float32)
        weights = np.concatenate([weights, none])
    scale = stored.get("rejection_scale", np.ones(1, np.float32))
    return Head(
        kinds=Linear(weights, bias),
        temperature=float(stored["temperature"]),
        kind_of=np.arange(classes),
        parts=np.ones((len(LEVEL_COLUMNS), classes), np.float32),
        freshness=None,
        ood=OodDetector.from_arrays(
            {
                "ood_projection": stored["rejection_projection"],
                "ood_scale": scale,
                "ood_means": stored["rejection_means"],
                # Without a "none" logit the score is DISTANCE_WEIGHT times the distance.
                "ood_threshold": stored["rejection_threshold"] * np.float32(0.01),
            }
        ),
    )
