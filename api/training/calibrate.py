"""Making a confidence mean what it says."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from api.predict.head import softmax

BINS = 15
# Standard deviation of the logarithm of a temperature.
PRIOR = 0.5


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The likeliest temperature by held-out labels.

    `logits` [n, classes], `labels` [n]. One number for all classes, so no prediction changes.
    Source: C. Guo et al., "On Calibration of Modern Neural Networks" (2017). Before any label is
    seen, the logarithm of a temperature is taken to be about 0, give or take PRIOR: a few hundred
    photographs that happen to be all right would otherwise make a grader certain of everything.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        likelihood = float(scaled[np.arange(len(labels)), labels].sum())
        return (log_temperature / PRIOR) ** 2 / 2 - likelihood

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


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


def uncalibrated(
    probabilities: NDArray[np.float32], temperatures: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What the probabilities [n, classes] were before the temperatures [n] that made them.

    Their logarithms are the scaled logits but for a constant a row, which a softmax does not see.
    """
    scaled = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return softmax(scaled * temperatures[:, None])
