"""95 % intervals by resampling, over groups that stand or fall together.

Copies of one photograph, and the fruits in one frame, are no independent observations: whole
groups are drawn, with replacement. Source: B. Efron & R. Tibshirani, "An Introduction to the
Bootstrap" (1993), chapter 13.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
# For a statistic that must be computed anew on every draw.
SLOW_RESAMPLES = 500

Rows = NDArray[np.int64]


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
    return _middle(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))


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
    return _middle(values) if len(values) else None


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    """The bounds of the middle 95 % of `values`."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
