"""Calibration: temperature scaling, the fresh threshold, and the expected calibration error."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import roc_curve

BINS = 15
# Normal prior of the log temperature: held-out photos come from the training sources, so without it
# the model would be overconfident on other sources. The mean was fitted on left-out sources
# (docs/log/calibration.md).
PRIOR_MEAN, PRIOR_DEVIATION = 0.18, 0.1
# With too few held-out fruit of a level, the threshold is this quantile of the fresh scores.
FRESH_QUANTILE = 0.05
MIN_PER_LEVEL = 8
# Scores are shown in hundredths.
MAX_FRESH_FROM = 0.99


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Maximum a posteriori temperature of held-out `logits` [n, outputs] and `labels` [n].

    C. Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        likelihood = float(scaled[np.arange(len(labels)), labels].sum())
        return ((log_temperature - PRIOR_MEAN) / PRIOR_DEVIATION) ** 2 / 2 - likelihood

    fit = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(fit.x))


def fit_fresh_from(scores: NDArray[np.float32], levels: NDArray[np.int64], lowest: float) -> float:
    """The freshness score from which fruit counts as fresh, at least `lowest`.

    `scores` [n] and `levels` [n] of held-out fruit; 2 is fresh, 1 past its best, others are
    ignored. With MIN_PER_LEVEL of both, it is the threshold with the highest Youden index
    (W. Youden, "Index for rating diagnostic tests", 1950).
    """
    fresh, past_best = scores[levels == 2], scores[levels == 1]
    if min(len(fresh), len(past_best)) >= MIN_PER_LEVEL:
        truth = np.repeat([1, 0], [len(fresh), len(past_best)])
        fpr, tpr, thresholds = roc_curve(truth, np.concatenate([fresh, past_best]))
        # The first threshold is above every score.
        best = 1 + int((tpr - fpr)[1:].argmax())
        threshold = float(thresholds[best])
    else:
        threshold = float(np.quantile(fresh, FRESH_QUANTILE)) if len(fresh) else lowest
    return float(np.clip(threshold, lowest, MAX_FRESH_FROM))


def expected_calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Weighted mean gap between confidence and accuracy over 15 equal-width bins: 0..1.

    `probabilities` [n, classes], `labels` [n].
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    gaps = [abs(confidence[bins == k].sum() - correct[bins == k].sum()) for k in range(BINS)]
    return float(sum(gaps) / len(labels))


def confidence_bins(confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    """Bin 0 to BINS - 1 of each confidence [n]."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
