"""How good a grader is: one definition of each figure, with 95 % intervals.

Intervals are drawn over groups that stand or fall together, with replacement: copies of one
photograph, and the fruits in one frame, are no independent observations. Source: B. Efron & R.
Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Out-of-distribution scores are
larger for what is stranger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from api.core.calibration import expected_calibration_error
from api.core.labels import read_label

# The share of the known fruit of every source that stays recognised when rejection is compared.
RECOGNISED = 0.98
# An answer of a higher confidence than this is a sure one.
SURE = 0.9
RESAMPLES = 2000
# For a statistic that must be computed anew on every draw.
SLOW_RESAMPLES = 500

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """The photographs of one class from one source."""

    source: str
    class_name: str
    count: int
    correct: int

    @property
    def accuracy(self) -> float:
        return self.correct / self.count


def pairs_ordered(above: NDArray[np.floating], below: NDArray[np.floating]) -> float:
    """The share of pairs in which the one `above` [n] scores higher than the one `below` [m].

    0 to 1, a tie counts half, 0.5 is chance: the area under the ROC curve. NaN without a pair.
    """
    if not len(above) or not len(below):
        return float("nan")
    ordered = np.sort(below)
    lower = np.searchsorted(ordered, above, side="left")
    not_higher = np.searchsorted(ordered, above, side="right")
    return float((lower + not_higher).mean() / (2 * len(below)))


def recognition_threshold(
    scores: NDArray[np.floating], sources: Sequence[str], share: float = RECOGNISED
) -> float:
    """The lowest threshold at which of every source at least `share` (0 to 1) is recognised.

    `scores` [n] of known fruit, each from one of `sources` [n]; what scores over the threshold is
    not recognised. Raises ValueError without any.
    """
    if not len(scores):
        raise ValueError("No known fruit, so no threshold can be chosen.")
    names = np.asarray(sources)
    needed = []
    for name in np.unique(names):
        own = np.sort(scores[names == name])
        # Less a hair, so that 0.98 of 50 are 49 whatever the rounding.
        needed.append(own[max(0, int(np.ceil(share * len(own) - 1e-9)) - 1)])
    return float(max(needed))


def refused_at_recognised(
    known: NDArray[np.floating],
    sources: Sequence[str],
    strange: NDArray[np.floating],
    share: float = RECOGNISED,
) -> NDArray[np.bool_]:
    """Which of the `strange` [m] are refused where `share` of every source's `known` [n] is not."""
    refused: NDArray[np.bool_] = strange > recognition_threshold(known, sources, share)
    return refused


def worst_groups(
    correct: NDArray[np.bool_], sources: Sequence[str], classes: Sequence[str]
) -> list[Group]:
    """Every (source, class) that occurs, the lowest accuracy first, of equals the larger group.

    `correct` [n] with `sources` [n] and `classes` [n], the true class of each.
    """
    keys = list(zip(sources, classes, strict=True))
    groups = []
    for key in sorted(set(keys)):
        rows = np.array([other == key for other in keys])
        groups.append(Group(*key, count=int(rows.sum()), correct=int(correct[rows].sum())))
    return sorted(groups, key=lambda group: (group.accuracy, -group.count))


def wrong_and_sure(
    correct: NDArray[np.bool_],
    confidence: NDArray[np.floating],
    recognised: NDArray[np.bool_],
    sure: float = SURE,
) -> NDArray[np.bool_]:
    """Which answers [n] mislead: wrong, of a confidence over `sure`, and not refused."""
    misleading: NDArray[np.bool_] = ~correct & (confidence > sure) & recognised
    return misleading


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
        **_fruit_and_freshness(predicted, labels, classes, photographs),
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


def _fruit_and_freshness(
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


def mean_interval(
    values: NDArray[Any], groups: Sequence[str], seed: int = 0
) -> tuple[float, float] | None:
    """Interval of the mean of `values` [n], numbers or truths; None of nothing."""
    if not len(values):
        return None
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(group, weights=values)
    sizes = np.bincount(group)
    drawn = np.random.default_rng(seed).integers(len(sizes), size=(RESAMPLES, len(sizes)))
    return _bounds_95(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))


def interval(
    statistic: Callable[[Rows], float], groups: Sequence[str], seed: int = 0
) -> tuple[float, float] | None:
    """Interval of `statistic`, which takes the rows that were drawn, int64 [any].

    A draw on which it is not defined (NaN) does not count; None where it never is.
    """
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.bincount(group).cumsum()[:-1])
    rng = np.random.default_rng(seed)
    values = np.array(
        [
            statistic(
                np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])
            )
            for _ in range(SLOW_RESAMPLES if len(names) else 0)
        ]
    )
    values = values[~np.isnan(values)]
    return _bounds_95(values) if len(values) else None


def _bounds_95(values: NDArray[np.float64]) -> tuple[float, float]:
    """The bounds of the middle 95 % of `values`."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
