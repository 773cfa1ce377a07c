"""Candidate and champion on the same held-out photographs: the figures that the gate judges by.

Nothing here was trained on or set by either of them. A photograph counts once, however many saved
copies there are of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb


@dataclass(frozen=True)
class Paired:
    """How two graders fare on the same photographs.

    `lost` of them the champion has right and the candidate wrong, `won` the other way round.
    """

    photographs: int
    champion_right: int
    lost: int
    won: int

    @property
    def candidate_right(self) -> int:
        return self.champion_right - self.lost + self.won

    @property
    def net_lost(self) -> int:
        return self.lost - self.won

    @property
    def drop(self) -> float:
        """How much smaller the candidate's share is: -1 to 1."""
        return self.net_lost / self.photographs if self.photographs else 0.0

    @property
    def chance(self) -> float:
        """How likely as many losses, or more, would be if both were equally good: 0 to 1.

        Exact and one-sided: Q. McNemar, "Note on the sampling error of the difference between
        correlated proportions or percentages" (1947).
        """
        differing = self.lost + self.won
        tail = sum(comb(differing, k) for k in range(self.lost, differing + 1))
        return float(Fraction(tail, 2**differing))


@dataclass(frozen=True)
class Figures:
    """One figure of both."""

    champion: float
    candidate: float

    @property
    def growth(self) -> float:
        return self.candidate - self.champion


@dataclass(frozen=True)
class Fit:
    """How many new photographs a grader that has not seen them gives the label that people gave.

    `left_out` were each graded by a simple grader that learned from all others; `held_out` by the
    candidate, and belong to its test split. So many of each are `recognised` as one of the classes.
    """

    left_out: int
    left_out_right: int
    held_out: int = 0
    held_out_right: int = 0
    left_out_recognised: int = 0
    held_out_recognised: int = 0


@dataclass(frozen=True)
class Comparison:
    """All figures.

    `overall`, `macro_f1`, `calibration_error`, `recognised` (known photographs not turned away) and
    `per_class` are of the test photographs of the classes that both know; `others_let_through` of
    photographs of no class; None of nothing. `milliseconds` is the forward pass of one photograph,
    None where both use the same network. `new_classes` and `new_labels` (of classes that the
    champion knows) are of photographs that the champion has not learned from.
    """

    overall: Paired
    recognised: Paired
    per_class: Mapping[str, Paired] = field(default_factory=dict)
    macro_f1: Figures | None = None
    calibration_error: Figures | None = None
    others_let_through: Figures | None = None
    milliseconds: Figures | None = None
    new_classes: Mapping[str, Fit] = field(default_factory=dict)
    new_labels: Mapping[str, Fit] = field(default_factory=dict)
