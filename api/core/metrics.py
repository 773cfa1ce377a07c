"""Evaluation metrics with 95 % intervals.

Intervals are bootstrapped over groups, since copies of one photo and the fruits in one frame are
not independent. B. Efron & R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
Larger OOD scores mean more unusual images.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from api.core.calibration import expected_calibration_error
from api.core.labels import read_label

# Share of each source's fruit that stays recognised where rejection rates are compared.
RECOGNISED = 0.98
HIGH_CONFIDENCE = 0.9
RESAMPLES = 2000
# For a statistic that is not a mean.
SLOW_RESAMPLES = 500

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Accuracy on one class from one source."""

    source: str
    class_name: str
    count: int
    correct: int

    @property
    def accuracy(self) -> float:
        return self.correct / self.count


def auroc(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """Area under the ROC curve of the scores of positives [n] and negatives [m].

    A tie counts half. NaN if either is empty.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    lower = np.searchsorted(ordered, positive, side="left")
    not_higher = np.searchsorted(ordered, positive, side="right")
    return float((lower + not_higher).mean() / (2 * len(negative)))


def recognition_threshold(
    scores: NDArray[np.floating], sources: Sequence[str], share: float = RECOGNISED
) -> float:
    """The lowest OOD threshold at which at least `share` of each source is recognised.

    `scores` [n] of in-distribution images and their `sources` [n]. Raises ValueError without any.
    """
    if not len(scores):
        raise ValueError("No known fruit, so no threshold can be chosen.")
    names = np.asarray(sources)
    needed = []
    for name in np.unique(names):
        own = np.sort(scores[names == name])
        # Minus an epsilon, so that 0.98 of 50 is 49 whatever the rounding.
        needed.append(own[max(0, int(np.ceil(share * len(own) - 1e-9)) - 1)])
    return float(max(needed))


def worst_groups(
    correct: NDArray[np.bool_], sources: Sequence[str], classes: Sequence[str]
) -> list[Group]:
    """All (source, class) groups by accuracy, the lowest first; of equal ones the larger first.

    `correct` [n], `sources` [n] and the true `classes` [n].
    """
    keys = list(zip(sources, classes, strict=True))
    count, right = Counter(keys), Counter(compress(keys, correct))
    groups = [Group(*key, count[key], right[key]) for key in sorted(count)]
    return sorted(groups, key=lambda group: (group.accuracy, -group.count))


def confidently_wrong(
    correct: NDArray[np.bool_],
    confidence: NDArray[np.floating],
    recognised: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which predictions are wrong, above HIGH_CONFIDENCE and not rejected: bool [n]."""
    return ~correct & (confidence > HIGH_CONFIDENCE) & recognised


def evaluate(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """All metrics of probabilities [n, classes] against labels [n], JSON-ready.

    `groups` [n] are the photos, over which intervals are bootstrapped. The interval of the
    calibration error is biased upwards: an error that cannot be negative grows in a smaller sample.
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
        "photographs": len(set(groups)),
        "correct": int(correct.sum()),
        **share("accuracy", correct, groups),
        # Without files a class has no F1.
        "macro_f1": float(np.mean(f1[support > 0])),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "expected_calibration_error_interval_95": interval(calibration_error, groups),
        **_fruit_and_freshness(predicted, labels, classes, groups),
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
    """The share of `true` [n] with its 95 % interval over `groups`; None if empty."""
    return {
        name: float(true.mean()) if len(true) else None,
        f"{name}_interval_95": mean_interval(true, groups),
    }


def _fruit_and_freshness(
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """Accuracy of the fruit and, if every class has one, of the freshness."""
    read = [read_label(name) for name in classes]
    fruit = np.array([label.fruit for label in read])
    result = share("fruit_accuracy", fruit[predicted] == fruit[labels], groups)
    if all(label.freshness for label in read):
        fresh = np.array([label.freshness == "fresh" for label in read])
        result |= share("freshness_accuracy", fresh[predicted] == fresh[labels], groups)
    return result


def mean_interval(values: NDArray[Any], groups: Sequence[str]) -> tuple[float, float] | None:
    """95 % interval of the mean of `values` [n], numbers or booleans; None if empty."""
    if not len(values):
        return None
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(group, weights=values)
    sizes = np.bincount(group)
    drawn = np.random.default_rng(0).integers(len(sizes), size=(RESAMPLES, len(sizes)))
    return _bounds_95(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))


def interval(
    statistic: Callable[[Rows], float], groups: Sequence[str]
) -> tuple[float, float] | None:
    """95 % interval of `statistic`, which takes the resampled rows, int64 [any].

    Resamples where it is undefined (NaN) are left out; None if all are.
    """
    if not len(groups):
        return None
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(group)
    members = np.split(np.argsort(group, kind="stable"), sizes.cumsum()[:-1])
    drawn = np.random.default_rng(0).integers(len(sizes), size=(SLOW_RESAMPLES, len(sizes)))
    values = np.array([statistic(np.concatenate([members[k] for k in row])) for row in drawn])
    values = values[~np.isnan(values)]
    return _bounds_95(values) if len(values) else None


def _bounds_95(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
