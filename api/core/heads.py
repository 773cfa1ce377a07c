"""Everything after the embedding, in NumPy: which fruit, how fresh, how sure, and whether any.

Serving, evaluation and both kinds of training share these lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, batch_invariant_matmul, logsumexp, sigmoid, softmax
from api.core.labels import Level, read_label
from api.core.ood import OodDetector

# From worst to best, as the columns of `Freshness.levels`.
LEVELS: tuple[Level, ...] = ("rotten", "past_best", "fresh")
# Packages up to November 2026 held an expert in these arrays. It is left out when they are read.
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
class Freshness:
    """How fresh, on one scale with two thresholds, whichever fruit it is.

    `linear` has one output; divided by `temperature` it is the logit of "not rotten". A fruit is
    fresh rather than past its best from the score `fresh_from` on: the proportional odds model of
    P. McCullagh, "Regression Models for Ordinal Data" (1980). `rotten_below` is the score under
    which it counts as rotten.
    """

    linear: Linear
    temperature: float
    rotten_below: float
    fresh_from: float

    def logit(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated logit float32 [n] of "not rotten" for embeddings float32 [n, channels]."""
        result: FloatArray = self.linear(embeddings)[:, 0] / np.float32(self.temperature)
        return result

    def levels(self, embeddings: FloatArray) -> FloatArray:
        """Probability of each of LEVELS: float32 [n, 3], rows summing to 1."""
        logit = self.logit(embeddings)
        edible = sigmoid(logit)
        upper = np.float32(np.log(self.fresh_from / (1 - self.fresh_from)))
        fresh = np.minimum(sigmoid(logit - upper), edible)
        return np.stack([sigmoid(-logit), edible - fresh, fresh], axis=1)


@dataclass(frozen=True)
class Head:
    """Two questions, two linear heads on one embedding; a class's probability is their product.

    `kinds` answers which fruit. Its outputs are the kinds and, where there were photographs of
    other things to learn from, "none of them" last. Logits are divided by `temperature` (C. Guo et
    al., "On Calibration of Modern Neural Networks", 2017). `kind_of` int64 [classes] gives the
    kind of each class, `parts` float32 [3, classes] which of LEVELS belong to it (1 or 0).
    `freshness` is None where no kind has classes of different freshness.
    """

    kinds: Linear
    temperature: float
    kind_of: NDArray[np.int64]
    parts: FloatArray
    freshness: Freshness | None
    ood: OodDetector

    @property
    def channels(self) -> int:
        """How many channels an embedding has."""
        return len(self.kinds.weights)

    @property
    def classes(self) -> int:
        return len(self.kind_of)

    @property
    def parameters(self) -> int:
        """How many numbers decide on the class."""
        linears = [self.kinds, *([self.freshness.linear] if self.freshness else [])]
        return sum(linear.weights.size + linear.bias.size for linear in linears)

    @property
    def thresholds(self) -> dict[str, float]:
        """What a manifest says of it."""
        found = {"temperature": self.temperature, "ood_score": self.ood.threshold}
        if self.freshness:
            found |= {
                "freshness_temperature": self.freshness.temperature,
                "rotten_below": self.freshness.rotten_below,
                "fresh_from": self.freshness.fresh_from,
            }
        return found

    @property
    def uncalibrated(self) -> "Head":
        """The same head with both temperatures 1."""
        freshness = replace(self.freshness, temperature=1.0) if self.freshness else None
        return replace(self, temperature=1.0, freshness=freshness)

    def probabilities(self, embeddings: FloatArray) -> FloatArray:
        """Calibrated probabilities float32 [n, classes] of embeddings float32 [n, channels].

        Each row sums to 1: they are of the classes alone, given that it is one of them.
        """
        return self._probabilities(embeddings, self.kinds(embeddings))

    def log_probabilities(self, embeddings: FloatArray) -> FloatArray:
        """The logarithm of `probabilities`, at least -100: float32 [n, classes]."""
        found: FloatArray = np.log(np.maximum(self.probabilities(embeddings), np.float32(1e-43)))
        return np.maximum(found, np.float32(-100))

    def ood_score(self, embeddings: FloatArray) -> FloatArray:
        """How unlike all classes: float32 [n]; over `ood.threshold` is not recognised."""
        return self.ood.score(self.ood.project(embeddings), self.none_logit(self.kinds(embeddings)))

    def recognises(self, embeddings: FloatArray) -> NDArray[np.bool_]:
        """Whether each embedding looks like any known class: bool [n]."""
        return self.ood_score(embeddings) <= self.ood.threshold

    def judge(self, embeddings: FloatArray) -> tuple[FloatArray, NDArray[np.bool_], FloatArray]:
        """`probabilities`, `recognises` and `ood.project` in one go, for the serving path."""
        logits = self.kinds(embeddings)
        projected = self.ood.project(embeddings)
        known = self.ood.score(projected, self.none_logit(logits)) <= self.ood.threshold
        return self._probabilities(embeddings, logits), known, projected

    def none_logit(self, kind_logits: FloatArray) -> FloatArray:
        """Log-odds float32 [n] of "none of them" by the logits of `kinds`; 0 where not learned."""
        known = self._known_kinds
        if kind_logits.shape[1] == known:
            return np.zeros(len(kind_logits), np.float32)
        result: FloatArray = kind_logits[:, known] - logsumexp(kind_logits[:, :known])
        return result

    def cam_weights(self, class_index: int) -> FloatArray:
        """How much each channel of an embedding speaks for a class: float32 [channels]."""
        kinds = self.kinds.weights[:, : self._known_kinds]
        differs = kinds[:, self.kind_of[class_index]] - kinds.mean(axis=1)
        weights: FloatArray = differs / np.float32(self.temperature)
        rotten, _, fresh = self.parts[:, class_index]
        if self.freshness and rotten != fresh:
            own = self.freshness.linear.weights[:, 0] / np.float32(self.freshness.temperature)
            weights = weights + (own if fresh else -own)
        return weights

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {
            "kind_weights": self.kinds.weights,
            "kind_bias": self.kinds.bias,
            "temperature": np.float32(self.temperature),
            "kind_of": self.kind_of,
            "parts": self.parts,
            **self.ood.arrays(),
        }
        if self.freshness:
            arrays |= {
                "freshness_weights": self.freshness.linear.weights,
                "freshness_bias": self.freshness.linear.bias,
                "freshness_scale": np.array(
                    [
                        self.freshness.temperature,
                        self.freshness.rotten_below,
                        self.freshness.fresh_from,
                    ]
                ),
            }
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote, or the head of a package up to November 2026.

        Raises ValueError or KeyError for another kind of file.
        """
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        if "weights" in stored:
            return _of_old(stored)
        freshness = None
        if "freshness_weights" in stored:
            linear = Linear(stored["freshness_weights"], stored["freshness_bias"])
            freshness = Freshness(linear, *stored["freshness_scale"].tolist())
        return cls(
            kinds=Linear(stored["kind_weights"], stored["kind_bias"]),
            temperature=float(stored["temperature"]),
            kind_of=stored["kind_of"],
            parts=stored["parts"],
            freshness=freshness,
            ood=OodDetector.from_arrays(stored),
        )

    @property
    def _known_kinds(self) -> int:
        return int(self.kind_of.max()) + 1

    def _probabilities(self, embeddings: FloatArray, kind_logits: FloatArray) -> FloatArray:
        of_kind = softmax(kind_logits[:, : self._known_kinds] / np.float32(self.temperature))
        found = of_kind[:, self.kind_of]
        if self.freshness is None:
            return found
        levels = self.freshness.levels(embeddings)
        share: FloatArray = (levels[:, :, None] * self.parts[None]).sum(axis=1)
        result: FloatArray = found * share
        return result


def class_parts(
    classes: Sequence[str],
) -> tuple[tuple[str, ...], NDArray[np.int64], FloatArray]:
    """Take class names apart: the kinds, the kind of each class, and its share of LEVELS.

    Returns the names of the kinds, int64 [classes], and float32 [3, classes] of 1 and 0. A level
    that no class of a kind is named for belongs to the nearest one: of fresh and rotten apples,
    those past their best count as fresh; of a kind with one class, all levels are that class.
    """
    labels = [read_label(name) for name in classes]
    kinds = tuple(dict.fromkeys(label.fruit for label in labels))
    kind_of = np.array([kinds.index(label.fruit) for label in labels], np.int64)
    parts = np.zeros((len(LEVELS), len(classes)), np.float32)
    # A name without a level stands for sound fruit where its kind has others besides.
    at = [LEVELS.index(label.level or "fresh") for label in labels]
    for k in range(len(kinds)):
        own = np.flatnonzero(kind_of == k)
        for level in range(len(LEVELS)):
            # Of two that are equally near, the fresher.
            nearest = min(own, key=lambda c: (abs(at[c] - level), -at[c]))
            same = own[[at[c] == at[nearest] for c in own]]
            parts[level, same] = 1 / len(same)
    return kinds, kind_of, parts


def _of_old(stored: dict[str, NDArray[Any]]) -> Head:
    """The head of an old package: one plain classifier, each class a kind of its own.

    Where an expert had a say as well, its channels get no weight.
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
        parts=np.ones((len(LEVELS), classes), np.float32),
        freshness=None,
        ood=OodDetector.from_arrays(
            {
                "ood_projection": stored["rejection_projection"],
                "ood_scale": scale,
                "ood_means": stored["rejection_means"],
                # The score of a head without a "none" logit is the weighted distance.
                "ood_threshold": stored["rejection_threshold"] * np.float32(0.01),
            }
        ),
    )
