"""The line in front of the inference threads: of bounded length, and nobody waits in it for long.

Under any load a photograph is graded within a bounded time, or refused at once with a word on when
to come again.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from api.errors import OverloadedError
from api.predict.runtime import Grade, Runtime


class Line:
    """For use by one event loop. `longest` photographs may wait, each for at most `seconds`."""

    def __init__(self, pool: ThreadPoolExecutor, longest: int, seconds: float) -> None:
        self._pool = pool
        self._longest = longest
        self._seconds = seconds
        self._inside = 0

    @property
    def full(self) -> bool:
        return self._inside >= self._longest

    def check(self) -> None:
        """Ask before work is put in. Raises OverloadedError where the next would find no room."""
        if self.full:
            raise OverloadedError()

    async def grade(self, runtime: Runtime, data: bytes, explain: bool) -> Grade:
        """As `runtime.grade`, in a thread. Raises OverloadedError, too."""
        self.check()
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            latest = time.monotonic() + self._seconds
            return await loop.run_in_executor(self._pool, _grade_by, latest, runtime, data, explain)
        finally:
            self._inside -= 1


def _grade_by(latest: float, runtime: Runtime, data: bytes, explain: bool) -> Grade:
    """Whoever waited for too long is told so: grading them would keep all behind them waiting."""
    if time.monotonic() > latest:
        raise OverloadedError()
    return runtime.grade(data, explain)
