"""Where fresh ends and rotten begins: two thresholds on the freshness score."""

from dataclasses import dataclass

from api.core.labels import Level

# Of a model that was not fitted to three levels.
HALF = 0.5


@dataclass(frozen=True)
class LevelThresholds:
    """A score below `rotten_below` is rotten, one from `fresh_from` on fresh, between is past_best.

    Both in 0..1. `fresh_from` is None where a model cannot tell the middle: then there is none.
    """

    rotten_below: float
    fresh_from: float | None = None

    def level(self, score: float) -> Level:
        """The level of a freshness score, 0 (rotten) to 1 (fresh)."""
        if score < self.rotten_below:
            return "rotten"
        return "fresh" if self.fresh_from is None or score >= self.fresh_from else "past_best"


def problem_of(rotten_below: float, fresh_from: float) -> str:
    """Why the two cannot be thresholds, as a sentence; empty where they can."""
    if 0 < rotten_below <= fresh_from < 1:
        return ""
    return (
        f"Rotten below {rotten_below:g} and fresh from {fresh_from:g} cannot be: both must lie "
        "between 0 and 1, and the first must not be above the second."
    )
