"""Shares of one as percentages, written in all charts as everywhere in the app: "97.7 %"."""

from collections.abc import Iterable

from words import percent

# Of an axis whose values are in percent. Plotly's own percent sign would stand without a space.
PERCENT_AXIS = {"ticksuffix": " %"}


def in_percent(shares: Iterable[float]) -> list[float]:
    """The shares of one as numbers for an axis in percent."""
    return [100 * share for share in shares]


def told(shares: Iterable[float]) -> list[str]:
    """The shares in words, for the labels of dots and bars."""
    return [percent(share) for share in shares]
