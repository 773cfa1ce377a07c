"""Making a confidence mean what it says, and drawing the lines between levels of freshness."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import roc_curve

BINS = 15
# Before any label is seen the logarithm of a temperature is taken to be normal, with this mean and
# standard deviation: held-out photographs are of the sources that were learned from, and would
# make a grader surer than it may be of others. The mean was fitted on left-out sources
# (docs/log/calibration.md).
PRIOR_MEAN, PRIOR_DEVIATION = 0.18, 0.1
# A fruit is past its best that is less fresh than all but this share of held-out fresh ones ...
LEAST_FRESH = 0.05
# ... unless at least so many held-out fruit of both levels say better where the line is.
ENOUGH_OF_A_LEVEL = 8
# The line is never nearer to 1 than this: a score is shown in hundredths.
HIGHEST_LINE = 0.99


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The likeliest temperature by held-out labels.

    `logits` [n, outputs], `labels` [n]. One number for all outputs, so no prediction changes.
    Source: C. Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        likelihood = float(scaled[np.arange(len(labels)), labels].sum())
        return ((log_temperature - PRIOR_MEAN) / PRIOR_DEVIATION) ** 2 / 2 - likelihood

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def fit_fresh_from(scores: NDArray[np.float32], levels: NDArray[np.int64], lowest: float) -> float:
    """The freshness score from which a fruit is fresh rather than past its best, `lowest` or more.

    `scores` [n] of held-out fruit, `levels` [n]: 2 fresh, 1 past its best, other numbers are left
    out. Tells the two apart best (W. Youden, "Index for rating diagnostic tests", 1950) where there
    are enough of both.
    """
    fresh, past_best = scores[levels == 2], scores[levels == 1]
    if min(len(fresh), len(past_best)) >= ENOUGH_OF_A_LEVEL:
        truth = np.repeat([1, 0], [len(fresh), len(past_best)])
        false_alarms, hits, lines = roc_curve(truth, np.concatenate([fresh, past_best]))
        # The first line is above every score.
        best = 1 + int((hits - false_alarms)[1:].argmax())
        line = float(lines[best])
    else:
        line = float(np.quantile(fresh, LEAST_FRESH)) if len(fresh) else lowest
    return float(np.clip(line, lowest, HIGHEST_LINE))


def expected_calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Mean gap between confidence and accuracy over 15 equally wide bins, weighted by size: 0..1.

    `probabilities` [n, classes], `labels` [n].
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    gaps = [abs(confidence[bins == k].sum() - correct[bins == k].sum()) for k in range(BINS)]
    return float(sum(gaps) / len(labels))


def confidence_bins(confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin, 0 to BINS - 1, of each confidence [n] in 0..1."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
