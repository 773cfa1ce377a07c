"""Freshness levels: two thresholds on the freshness score."""

from dataclasses import dataclass

from api.core.labels import Level

# The threshold of a model without a freshness head.
HALF = 0.5


@dataclass(frozen=True)
class LevelThresholds:
    """A score below `rotten_below` is rotten, from `fresh_from` on fresh, past_best in between.

    Both in 0..1. Without `fresh_from` there is no level past_best.
    """

    rotten_below: float
    fresh_from: float | None = None

    def level(self, score: float) -> Level:
        """The level of a freshness score, 0 (rotten) to 1 (fresh)."""
        if score < self.rotten_below:
            return "rotten"
        return "fresh" if self.fresh_from is None or score >= self.fresh_from else "past_best"


def threshold_error(rotten_below: float, fresh_from: float) -> str:
    """Why the two are not valid thresholds; empty if they are."""
    if 0 < rotten_below <= fresh_from < 1:
        return ""
    return (
        f"Rotten below {rotten_below:g} and fresh from {fresh_from:g} cannot be: both must lie "
        "between 0 and 1, and the first must not be above the second."
    )
