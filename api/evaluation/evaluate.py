"""How good a grader is, in figures that say on what they were measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from api.dataset.labels import read_label
from api.evaluation.bootstrap import interval, mean_interval
from api.training.calibrate import expected_calibration_error


def evaluate(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    photographs: Sequence[str],
) -> dict[str, Any]:
    """Score probabilities [n, classes] against labels [n]; JSON-ready.

    `photographs` names the photograph behind each row; the 95 % intervals are drawn over
    photographs, since copies of one stand or fall together. That of the calibration error leans
    upwards: an error that cannot be negative grows in every smaller sample.
    """
    predicted = probabilities.argmax(axis=1)
    correct = predicted == labels
    names = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=names, zero_division=0.0
    )

    def calibration_error(rows: NDArray[np.int64]) -> float:
        return expected_calibration_error(probabilities[rows], labels[rows])

    return {
        "files": len(labels),
        "photographs": len(set(photographs)),
        "correct": int(correct.sum()),
        **share("accuracy", correct, photographs),
        # A class without files has no F1 of its own.
        "macro_f1": float(np.mean(f1[support > 0])),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "expected_calibration_error_interval_95": interval(calibration_error, photographs),
        **_partial(predicted, labels, classes, photographs),
        "per_class": {
            name: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "files": int(support[k]),
            }
            for k, name in enumerate(classes)
        },
        "confusion_matrix": confusion_matrix(labels, predicted, labels=names).tolist(),
    }


def share(name: str, true: NDArray[np.bool_], groups: Sequence[str]) -> dict[str, Any]:
    """How many of `true` [n] are, with the 95 % interval over `groups`; None of nothing."""
    return {
        name: float(true.mean()) if len(true) else None,
        f"{name}_interval_95": mean_interval(true, groups),
    }


def _partial(
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    photographs: Sequence[str],
) -> dict[str, Any]:
    """Accuracy on the fruit alone and, where every class speaks of it, on the freshness alone."""
    read = [read_label(name) for name in classes]
    fruit = np.array([label.fruit for label in read])
    result = share("fruit_accuracy", fruit[predicted] == fruit[labels], photographs)
    if all(label.freshness for label in read):
        fresh = np.array([label.freshness == "fresh" for label in read])
        result |= share("freshness_accuracy", fresh[predicted] == fresh[labels], photographs)
    return result
