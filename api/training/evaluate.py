"""How good a grader is, in figures that say on what they were measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from api.dataset.labels import read_label
from api.predict.head import Head
from api.training.calibrate import expected_calibration_error

RESAMPLES = 2000


def evaluate(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    photographs: Sequence[str],
) -> dict[str, Any]:
    """Score probabilities [n, classes] against labels [n]; JSON-ready.

    `photographs` names the photograph behind each row; the 95 % interval of the accuracy is
    drawn over photographs, since copies of one stand or fall together.
    """
    predicted = probabilities.argmax(axis=1)
    correct = predicted == labels
    names = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=names, zero_division=0.0
    )
    low, high = bootstrap_interval(correct, photographs)
    return {
        "files": len(labels),
        "photographs": len(set(photographs)),
        "correct": int(correct.sum()),
        "accuracy": float(correct.mean()),
        "accuracy_interval_95": [low, high],
        "macro_f1": float(np.mean(f1)),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        **_partial(predicted, labels, classes),
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


def bootstrap_interval(
    correct: NDArray[np.bool_], photographs: Sequence[str], seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of the mean of `correct` [n], resampling whole photographs.

    Source: B. Efron & R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    _, group = np.unique(np.asarray(photographs), return_inverse=True)
    hits = np.bincount(group, weights=correct)
    sizes = np.bincount(group)
    drawn = np.random.default_rng(seed).integers(len(sizes), size=(RESAMPLES, len(sizes)))
    means = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def rejected_share(head: Head, embeddings: NDArray[np.float32]) -> float | None:
    """The share of embeddings [n, channels] that are no known class; None of nothing."""
    return float(1 - head.recognises(embeddings).mean()) if len(embeddings) else None


def _partial(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, float]:
    """Accuracy on the fruit alone and, where every class speaks of it, on the freshness alone."""
    read = [read_label(name) for name in classes]
    fruit = np.array([label.fruit for label in read])
    result = {"fruit_accuracy": float((fruit[predicted] == fruit[labels]).mean())}
    if all(label.freshness for label in read):
        fresh = np.array([label.freshness == "fresh" for label in read])
        result["freshness_accuracy"] = float((fresh[predicted] == fresh[labels]).mean())
    return result
