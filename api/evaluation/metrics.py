"""Small metrics with one definition each, for the report, the gate and fast retraining.

NumPy alone. Out-of-distribution scores are larger for what is stranger.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The share of the known fruit of every source that stays recognised when rejection is compared.
RECOGNISED = 0.98
# An answer of a higher confidence than this is a sure one.
SURE = 0.9


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
