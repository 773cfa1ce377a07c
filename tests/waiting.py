"""Waiting in tests for other threads and processes."""

from collections.abc import Callable
from typing import TypeVar

import psutil
from tenacity import (
    RetryError,
    Retrying,
    retry_if_not_result,
    stop_after_delay,
    wait_incrementing,
)

T = TypeVar("T")
# Only a failing test waits this long.
PATIENCE_SECONDS = 600.0
BOUND_SECONDS = 3600.0
# Intervals between checks, which grow, since each check slows the process being waited for.
FIRST_STEP_SECONDS, MORE_SECONDS, LAST_STEP_SECONDS = 0.05, 0.02, 0.5
# Timeout of an HTTP client on a busy machine.
ANSWER_SECONDS = 300.0


def until(condition: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait for the first true result of `condition`, and return it. Raises AssertionError after
    `seconds` of idle CPU, and after BOUND_SECONDS in any case. Time does not count while all cores
    are busy, since the other process may be waiting for one.
    """
    give_up_at = _idle_seconds() + seconds
    bound = stop_after_delay(BOUND_SECONDS)
    retrying = Retrying(
        retry=retry_if_not_result(bool),
        wait=wait_incrementing(FIRST_STEP_SECONDS, MORE_SECONDS, LAST_STEP_SECONDS),
        stop=lambda state: bound(state) or _idle_seconds() > give_up_at,
    )
    try:
        result = retrying(condition)
    except RetryError as given_up:
        last = given_up.last_attempt.result()
        raise AssertionError(f"Gave up after {seconds:.0f} s of idle processor: {last!r}") from None
    assert result is not None
    return result


def _idle_seconds() -> float:
    """Idle seconds since the machine started, averaged over all cores."""
    return float(psutil.cpu_times().idle / psutil.cpu_count())
