"""The line in front of the inference threads: of bounded length, and nobody waits in it for long.

Under any load a photograph is graded within a bounded time, or refused at once with a word on when
to come again. Where several wait, a thread takes a few of them in one turn: a forward pass leaves
little of the program in the processor's cache, so that what is done for several in one go costs
far less than the same after each of them.
"""

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.errors import OverloadedError
from api.predict.runtime import Grade, Runtime

# The first of a turn waits for the last: so few, and none is begun after so long.
TOGETHER = 4
TURN_SECONDS = 0.02


class _Asked(NamedTuple):
    """A photograph in the line; nobody wants it graded after `latest`."""

    runtime: Runtime
    data: bytes
    explain: bool
    latest: float
    answer: asyncio.Future[Grade]


_Graded = tuple[asyncio.Future[Grade], Grade | Exception]


class Line:
    """For use by one event loop. `longest` photographs may wait, each for at most `seconds`, for
    one of `threads` in `pool`, which may have other work besides.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, threads: int, longest: int, seconds: float
    ) -> None:
        self._pool = pool
        self._threads = threads
        self._longest = longest
        self._seconds = seconds
        self._inside = 0
        self._waiting: deque[_Asked] = deque()
        self._turns = 0

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
            answer: asyncio.Future[Grade] = loop.create_future()
            latest = time.monotonic() + self._seconds
            self._waiting.append(_Asked(runtime, data, explain, latest, answer))
            self._begin_turn(loop)
            return await answer
        finally:
            self._inside -= 1

    def _begin_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._turns < self._threads:
            self._turns += 1
            self._pool.submit(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: grade the next few, of whom the other threads get their share."""
        most = min(TOGETHER, -(-len(self._waiting) // self._threads))
        ends = time.monotonic() + TURN_SECONDS
        graded: list[_Graded] = []
        while len(graded) < most and self._waiting and time.monotonic() < ends:
            try:
                asked = self._waiting.popleft()
            except IndexError:  # Another thread was quicker.
                break
            graded.append((asked.answer, _outcome(asked)))
        loop.call_soon_threadsafe(self._end_turn, loop, graded)

    def _end_turn(self, loop: asyncio.AbstractEventLoop, graded: list[_Graded]) -> None:
        self._turns -= 1
        if self._waiting:
            self._begin_turn(loop)
        for answer, outcome in graded:
            if answer.done():  # The client went away.
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


def _outcome(asked: _Asked) -> Grade | Exception:
    """Whoever waited for too long is told so: grading them would keep all behind them waiting."""
    if asked.answer.done():
        return OverloadedError()  # Nobody waits for it any more.
    try:
        if time.monotonic() > asked.latest:
            raise OverloadedError()
        return asked.runtime.grade(asked.data, asked.explain)
    except Exception as error:  # It belongs to the one who asked.
        return error
