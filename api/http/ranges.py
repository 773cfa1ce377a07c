"""Bounds of a range in a query."""

from typing import Any

from api.core.errors import UnprocessableError


class ReversedRangeError(UnprocessableError):
    code = "reversed-range"

    def __init__(self, lower: str, upper: str) -> None:
        super().__init__(
            f"`{lower}` and `{upper}` contradict each other: `{lower}` is the lower bound, but is "
            f"above `{upper}`. Swap them, or leave one out."
        )


def check_range(**bounds: Any) -> None:
    """`bounds` are the lower and the upper one by the names of their parameters; None is open.

    Equal ones are fine: an empty range contradicts nothing. Raises ReversedRangeError.
    """
    (lower, low), (upper, high) = bounds.items()
    if low is not None and high is not None and low > high:
        raise ReversedRangeError(lower, upper)
