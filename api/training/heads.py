"""Fitting the heads on embeddings, then calibration. Takes seconds, without TensorFlow.

Full training, every run of the cross-validation and fast retraining use this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from api.core.arrays import sigmoid
from api.core.calibration import fit_fresh_from, fit_temperature
from api.core.heads import FreshnessHead, Head, Linear, class_parts
from api.core.labels import ROTTEN, UNKNOWN, level_number, read_label
from api.core.ood import OodDetector
from api.training.ood import choose_threshold
from api.training.samples import Sample

# Below this score, fruit is more likely rotten than not.
ROTTEN_BELOW = 0.5


@dataclass(frozen=True)
class GroundTruth:
    """The truth about in-distribution photos: `targets` float32 [n, classes], `levels` int64 [n]
    and `sources` [n]."""

    targets: NDArray[np.float32]
    levels: NDArray[np.int64]
    sources: Sequence[str]


@dataclass(frozen=True)
class HeadLogits:
    """Outputs of the heads before calibration.

    `kinds` float32 [n, kinds], with "none of them" as one more column if it was learned;
    `freshness` float32 [n] or None; `ood` float32 [n], the score of `OodDetector`.
    """

    kinds: NDArray[np.float32]
    freshness: NDArray[np.float32] | None
    ood: NDArray[np.float32]

    @classmethod
    def of(cls, head: Head, embeddings: NDArray[np.float32]) -> "HeadLogits":
        """The outputs of an uncalibrated head for embeddings float32 [n, channels]."""
        freshness = head.freshness.logit(embeddings) if head.freshness else None
        return cls(head.kinds(embeddings), freshness, head.ood_score(embeddings))

    def rows(self, wanted: NDArray[np.bool_]) -> "HeadLogits":
        """A subset, by `wanted` bool [n]."""
        freshness = None if self.freshness is None else self.freshness[wanted]
        return HeadLogits(self.kinds[wanted], freshness, self.ood[wanted])


def uncalibrated_head(
    classes: Sequence[str], kinds: Linear, freshness: Linear | None, ood: OodDetector
) -> Head:
    """A head with temperature 1. Until its threshold is chosen, `ood` rejects nothing."""
    kind_of, parts = kinds_and_parts(classes, freshness is not None)
    levels = FreshnessHead(freshness, 1.0, ROTTEN_BELOW, ROTTEN_BELOW) if freshness else None
    return Head(kinds, 1.0, kind_of, parts, levels, ood)


def calibrate_head(
    head: Head,
    logits: HeadLogits,
    truth: GroundTruth,
    new_class_scores: Sequence[NDArray[np.float32]] = (),
) -> Head:
    """Set temperatures, the fresh threshold and the OOD threshold of an uncalibrated head.

    `logits` and `truth` are of held-out photos; `new_class_scores` are the OOD scores [any] of the
    held-out photos of each new class.
    """
    labels = head.kind_of[truth.targets.argmax(axis=1)]
    kinds = int(head.kind_of.max()) + 1
    threshold = choose_threshold(logits.ood, truth.sources, new_class_scores)
    return replace(
        head,
        temperature=fit_temperature(logits.kinds[:, :kinds], labels),
        freshness=_calibrate_freshness(head.freshness, logits.freshness, truth.levels),
        ood=replace(head.ood, threshold=threshold),
    )


def _calibrate_freshness(
    head: FreshnessHead | None, logits: NDArray[np.float32] | None, levels: NDArray[np.int64]
) -> FreshnessHead | None:
    if head is None or logits is None:
        return None
    known = levels != UNKNOWN
    logit = logits[known]
    edible = (levels[known] > ROTTEN).astype(np.int64)
    temperature = fit_temperature(np.stack([np.zeros_like(logit), logit], axis=1), edible)
    scores = sigmoid(logit / np.float32(temperature))
    fresh_from = fit_fresh_from(scores, levels[known], ROTTEN_BELOW)
    return replace(head, temperature=temperature, fresh_from=fresh_from)


def fit_head(
    embeddings: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    l2: float,
    *,
    start: Linear | None = None,
) -> Linear:
    """Multinomial logistic regression with soft targets, by L-BFGS.

    `embeddings` [n, channels], `targets` [n, outputs] with rows that sum to 1, `weights` [n], `l2`
    the penalty on standardised features. `start` is a warm start. Returns a layer for raw
    embeddings, channels to outputs.
    """
    x = embeddings.astype(np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - mean) / scale
    share = (weights / weights.sum()).astype(np.float64)[:, None]
    channels, outputs = x.shape[1], targets.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        matrix = flat.reshape(channels + 1, outputs)
        log_p = log_softmax(x @ matrix[:-1] + matrix[-1], axis=1)
        error = share * (np.exp(log_p) - targets)
        gradient = np.vstack([x.T @ error + l2 * matrix[:-1], error.sum(axis=0)])
        value = -(share * targets * log_p).sum() + l2 / 2 * (matrix[:-1] ** 2).sum()
        return float(value), gradient.ravel()

    initial = np.zeros((channels + 1, outputs))
    if start is not None:
        initial[:-1] = start.weights * scale[:, None]
        initial[-1] = start.bias + mean @ start.weights
    solution = minimize(
        loss, initial.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500}
    )
    matrix = solution.x.reshape(channels + 1, outputs)
    slopes = matrix[:-1] / scale[:, None]
    bias = matrix[-1] - mean @ slopes
    return Linear(slopes.astype(np.float32), bias.astype(np.float32))


def fit_freshness(
    embeddings: NDArray[np.float32],
    freshness: NDArray[np.float32],
    weights: NDArray[np.float32],
    l2: float,
) -> Linear | None:
    """One output for all kinds of fruit: the logit of "not rotten".

    `embeddings` [n, channels]; `freshness` [n] is 1 (not rotten), 0 (rotten) or NaN (unknown);
    `weights` [n]. Both sides get the same total weight. None unless both are present.
    """
    known = ~np.isnan(freshness)
    edible = freshness[known] > 0.5
    if edible.all() or not edible.any():
        return None
    share = weights[known].astype(np.float64)
    for side in (edible, ~edible):
        share[side] /= share[side].sum()
    binary = fit_head(
        embeddings[known],
        np.stack([~edible, edible], axis=1).astype(np.float32),
        share.astype(np.float32),
        l2,
    )
    return Linear(binary.weights[:, 1:] - binary.weights[:, :1], binary.bias[1:] - binary.bias[:1])


def kind_targets(targets: NDArray[np.float32], kind_of: NDArray[np.int64]) -> NDArray[np.float32]:
    """Targets of the kinds head: float32 [n, kinds], with a column "none of them" if needed.

    `targets` [n, classes] has zeros for out-of-distribution rows; `kind_of` [classes].
    """
    summed = targets @ np.eye(int(kind_of.max()) + 1, dtype=np.float32)[kind_of]
    none = summed.sum(axis=1) < 0.5
    if not none.any():
        return summed
    return np.concatenate([summed, none[:, None].astype(np.float32)], axis=1)


def kinds_and_parts(
    classes: Sequence[str], has_freshness: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """`Head.kind_of` int64 [classes] and `Head.parts` float32 [levels, classes].

    Without a freshness head (nothing is rotten, or everything), each class is a kind of its own.
    """
    kind_of, parts = class_parts(classes)
    return (kind_of, parts) if has_freshness else (np.arange(len(classes)), np.ones_like(parts))


def freshness_values(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Freshness of samples: float32 [n], NaN if unknown."""
    values = [sample.freshness for sample in samples]
    return np.array([np.nan if value is None else value for value in values], np.float32)


def level_numbers(samples: Sequence[Sample], classes: Sequence[str]) -> NDArray[np.int64]:
    """Level of in-distribution samples, from the box or else the class: int64 [n], UNKNOWN if
    unknown."""
    levels = [
        sample.box.level if sample.box else read_label(classes[int(np.argmax(sample.target))]).level
        for sample in samples
    ]
    return np.array([level_number(level) for level in levels], np.int64)


def freshness_of_levels(levels: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 (not rotten), 0 (rotten) or NaN (UNKNOWN): float32 [n]."""
    return np.where(levels == UNKNOWN, np.nan, levels > ROTTEN).astype(np.float32)
