"""Whether a password is right, with few tries a minute for everybody together.

Nothing that a browser says of itself is believed, its address included: whoever guesses would
change it. So a guesser keeps others waiting as well, but is never let in.
"""

import hmac
from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

MOST_TRIES = 10
WINDOW_SECONDS = 60.0


class Guard:
    """Counts wrong passwords. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._wrong: deque[float] = deque()
        self._lock = Lock()

    def admits(self, password: str, given: str) -> bool:
        """Whether `given` is the password; never while there is something to wait for."""
        with self._lock:
            if self._wait():
                return False
            right = hmac.compare_digest(password.encode(), given.encode())
            if not right:
                self._wrong.append(self._clock())
            return right

    def seconds_to_wait(self) -> float:
        """How long no password is looked at; 0 where one is."""
        with self._lock:
            return self._wait()

    def _wait(self) -> float:
        now = self._clock()
        while self._wrong and now - self._wrong[0] >= WINDOW_SECONDS:
            self._wrong.popleft()
        if len(self._wrong) < MOST_TRIES:
            return 0.0
        return self._wrong[0] + WINDOW_SECONDS - now
