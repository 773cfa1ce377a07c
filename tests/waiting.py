"""Waiting in tests for what other threads and processes do."""

from collections.abc import Callable
from typing import TypeVar

import psutil
from tenacity import RetryError, Retrying, retry_if_not_result, stop_after_delay, wait_fixed

T = TypeVar("T")
# Only a test that fails waits for so long.
PATIENCE_SECONDS = 600.0
BOUND_SECONDS = 3600.0
STEP_SECONDS = 0.05
# Of an HTTP client that waits for a service on a busy machine.
ANSWER_SECONDS = 300.0


def until(look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """The first true result of `look`.

    Raises AssertionError after `seconds` of idle processor, and after BOUND_SECONDS in any case.
    While all cores are busy no time counts: what is waited for may be waiting for a core itself.
    """
    give_up_at = _idle_seconds() + seconds
    bound = stop_after_delay(BOUND_SECONDS)
    looking = Retrying(
        retry=retry_if_not_result(bool),
        wait=wait_fixed(STEP_SECONDS),
        stop=lambda state: bound(state) or _idle_seconds() > give_up_at,
    )
    try:
        found = looking(look)
    except RetryError as given_up:
        last = given_up.last_attempt.result()
        raise AssertionError(f"Gave up after {seconds:.0f} s of idle processor: {last!r}") from None
    assert found is not None
    return found


def _idle_seconds() -> float:
    """Seconds since the machine started in which a core had nothing to do, mean over all cores."""
    return float(psutil.cpu_times().idle / psutil.cpu_count())
