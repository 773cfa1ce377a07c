"""The curves behind the figures: ROC, precision against recall, reliability; JSON-ready and small.

One class against all others, by its probability. A class without files, or with nothing but, has
no curve.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from api.core.calibration import BINS, confidence_bins

MOST_POINTS = 60
DIGITS = 4


def roc_curves(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By class: `false_positive_rate` and `true_positive_rate`, each 0 to 1, and their `auc`.

    `probabilities` [n, classes], `labels` [n].
    """
    curves = {}
    for name, truth, score in _one_against_rest(probabilities, labels, classes):
        false, true, _ = roc_curve(truth, score)
        x, y = _thinned(false, true)
        auc = float(roc_auc_score(truth, score))
        curves[name] = {"false_positive_rate": x, "true_positive_rate": y, "auc": auc}
    return curves


def precision_recall_curves(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By class: `recall` and `precision`, each 0 to 1, and the `average_precision`.

    `probabilities` [n, classes], `labels` [n].
    """
    curves = {}
    for name, truth, score in _one_against_rest(probabilities, labels, classes):
        precision, recall, _ = precision_recall_curve(truth, score)
        x, y = _thinned(recall, precision)
        average = float(average_precision_score(truth, score))
        curves[name] = {"recall": x, "precision": y, "average_precision": average}
    return curves


def reliability(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """What the diagram is drawn from: the bins of the calibration error that hold any files.

    `probabilities` [n, classes], `labels` [n]. Of each bin its bounds `low` and `high`, its
    `files`, and their mean `confidence` and `accuracy`.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    return [
        {
            "low": k / BINS,
            "high": (k + 1) / BINS,
            "files": int((bins == k).sum()),
            "confidence": float(confidence[bins == k].mean()),
            "accuracy": float(correct[bins == k].mean()),
        }
        for k in np.unique(bins).tolist()
    ]


def _one_against_rest(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float32]]]:
    for k, name in enumerate(classes):
        truth = labels == k
        if truth.any() and not truth.all():
            yield name, truth, probabilities[:, k]


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """At most MOST_POINTS of a curve, ends included, evenly spread along its length.

    Along its length and not its index: the points of a good grader crowd in one corner.
    """
    walked = np.concatenate([[0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()])
    wanted = np.linspace(0, walked[-1], MOST_POINTS)
    kept = np.unique([0, *np.searchsorted(walked, wanted).clip(max=len(x) - 1), len(x) - 1])
    return x[kept].round(DIGITS).tolist(), y[kept].round(DIGITS).tolist()
