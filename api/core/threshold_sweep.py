"""Sweeps a threshold on the freshness score: the errors on either side of it, and their cost.

Fruits that belong below the threshold and score above it are let through; those that belong above
and score below it are refused.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.core.sequential import share_interval

# The thresholds that are tried: every hundredth.
GRID = tuple(step / 100 for step in range(1, 100))
# With fewer fruits than this on either side, no threshold is suggested.
FEWEST = 10
# Standard errors that a saving must exceed: 95 %, one-sided. Three fruits on one side are enough.
CERTAIN = 1.645
# Costs that differ by less are equal.
_EQUAL = 1e-9


class Costs(NamedTuple):
    """The cost of a fruit that is let through, and of one that is refused. `worse_share`, 0 to 1:
    the share of all graded fruit that belongs below; None: as among the fruits of the sweep.
    """

    let_through: float
    refused: float
    worse_share: float | None


@dataclass(frozen=True)
class Errors:
    """The errors of one threshold. Shares are of the fruits on that side, None without any; each
    has the upper end of its 95 % interval. `cost`: of a hundred fruits, None unless both sides
    have fruits.
    """

    threshold: float
    let_through: int
    refused: int
    let_through_share: float | None
    refused_share: float | None
    let_through_at_most: float
    refused_at_most: float
    cost: float | None


@dataclass(frozen=True)
class SweptFruits:
    """The freshness scores float [n] of fruits, and which of them belong below: bool [n]."""

    scores: NDArray[np.floating]
    worse: NDArray[np.bool_]

    @cached_property
    def _below(self) -> NDArray[np.floating]:
        return np.sort(self.scores[self.worse])

    @cached_property
    def _above(self) -> NDArray[np.floating]:
        return np.sort(self.scores[~self.worse])

    @property
    def worse_count(self) -> int:
        return len(self._below)

    @property
    def better_count(self) -> int:
        return len(self._above)

    def at(self, threshold: float, costs: Costs) -> Errors:
        """The errors at one threshold; a score equal to it is above it."""
        let_through = self.worse_count - int(np.searchsorted(self._below, threshold, "left"))
        refused = int(np.searchsorted(self._above, threshold, "left"))
        cost = None
        if self.worse_count and self.better_count:
            of_worse, of_better = self._weights(costs)
            cost = of_worse * let_through + of_better * refused
        return Errors(
            threshold=threshold,
            let_through=let_through,
            refused=refused,
            let_through_share=_share(let_through, self.worse_count),
            refused_share=_share(refused, self.better_count),
            let_through_at_most=share_interval(let_through, self.worse_count)[1],
            refused_at_most=share_interval(refused, self.better_count)[1],
            cost=cost,
        )

    def sweep(self, costs: Costs) -> list[Errors]:
        """The errors at each threshold of GRID."""
        return [self.at(threshold, costs) for threshold in GRID]

    def cheapest(self, in_use: float, costs: Costs) -> Errors | None:
        """The threshold that costs least; None with fewer than FEWEST fruits on either side.

        It is the one `in_use` unless another saves more than chance would: over CERTAIN standard
        errors, where each fruit that changes sides counts as one event. Of equally cheap ones it is
        the middle of the run nearest to `in_use`: just beyond its ends, one more fruit is wrong.
        """
        if min(self.worse_count, self.better_count) < FEWEST:
            return None
        current, swept = self.at(in_use, costs), self.sweep(costs)
        of_worse, of_better = self._weights(costs)
        passed = of_worse * np.array([one.let_through - current.let_through for one in swept])
        lost = of_better * np.array([one.refused - current.refused for one in swept])
        saved = -(passed + lost)
        chance = np.sqrt(of_worse * np.abs(passed) + of_better * np.abs(lost))
        clear = saved > CERTAIN * chance
        if not clear.any():
            return current
        best = np.flatnonzero(clear & (saved >= saved[clear].max() - _EQUAL))
        runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
        nearest = min(runs, key=lambda run: min(abs(GRID[place] - in_use) for place in run))
        return swept[int(nearest[len(nearest) // 2])]

    def _weights(self, costs: Costs) -> tuple[float, float]:
        """The cost of one wrong fruit on either side, per hundred fruits."""
        share = costs.worse_share
        if share is None:
            share = self.worse_count / (self.worse_count + self.better_count)
        return (
            100 * share * costs.let_through / self.worse_count,
            100 * (1 - share) * costs.refused / self.better_count,
        )


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
