"""Freshness levels: two thresholds on the freshness score."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.core.labels import Level, read_label

# The threshold of a model without a freshness head.
HALF = 0.5


@dataclass(frozen=True)
class LevelThresholds:
    """A score is rotten below `rotten_below`, fresh from `fresh_from` on, past_best in between.

    Both are in 0..1. Without `fresh_from` there is no level past_best.
    """

    rotten_below: float
    fresh_from: float | None = None

    def level(self, score: float) -> Level:
        """The level of a freshness score, 0 (rotten) to 1 (fresh)."""
        if score < self.rotten_below:
            return "rotten"
        return "fresh" if self.fresh_from is None or score >= self.fresh_from else "past_best"


def graded_fruits(classes: Iterable[str]) -> list[str]:
    """The fruits that have a class with a freshness level, in order."""
    return sorted({label.fruit for label in map(read_label, classes) if label.level})


def fitted_thresholds(
    classes: Iterable[str], thresholds: Mapping[str, float]
) -> LevelThresholds | None:
    """The thresholds fitted with a model of `classes`, from the `thresholds` of its manifest.

    None if no class has a freshness.
    """
    if not graded_fruits(classes):
        return None
    if "rotten_below" not in thresholds:
        return LevelThresholds(HALF)
    return LevelThresholds(thresholds["rotten_below"], thresholds["fresh_from"])


def threshold_error(rotten_below: float, fresh_from: float) -> str:
    """Why the two are not valid thresholds; empty if they are."""
    if 0 < rotten_below <= fresh_from < 1:
        return ""
    return (
        f"Rotten below {rotten_below:g} and fresh from {fresh_from:g} is not possible: both must "
        "lie between 0 and 1, and the first must not be above the second."
    )
