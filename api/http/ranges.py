"""Checks the bounds of a range in a query."""

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
    """`bounds` are the lower and then the upper bound by parameter name; None is open.

    Equal bounds are accepted: an empty range is no contradiction. Raises ReversedRangeError.
    """
    (lower, low), (upper, high) = bounds.items()
    if low is not None and high is not None and low > high:
        raise ReversedRangeError(lower, upper)
