"""Waiting in tests for what other threads and processes do."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_not_result, stop_after_delay, wait_fixed

T = TypeVar("T")
# Long enough for a slow machine; only a test that fails waits for so long.
PATIENCE_SECONDS = 600.0
STEP_SECONDS = 0.05


def until(look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """What `look` finds, as soon as it finds something. Raises AssertionError after `seconds`."""
    looking = Retrying(
        retry=retry_if_not_result(bool),
        wait=wait_fixed(STEP_SECONDS),
        stop=stop_after_delay(seconds),
    )
    try:
        found = looking(look)
    except RetryError as given_up:
        last = given_up.last_attempt.result()
        raise AssertionError(f"It did not come about in {seconds:.0f} s: {last!r}") from None
    assert found is not None
    return found
