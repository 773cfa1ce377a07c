"""The line in front of the inference threads: of bounded length, and nobody waits in it for long.

Under any load a photograph is graded within a bounded time, or refused at once with a word on when
to come again. Where several wait, a thread takes a few of them in one turn: a forward pass leaves
little of the program in the processor's cache, so that what is done for several in one go costs
far less than the same after each of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.errors import OverloadedError
from api.predict.litert import PASS
from api.predict.runtime import Asked, Grade, Runtime

# The first of a turn waits for the last: so few, and none is begun after so long.
TOGETHER = 4
TURN_SECONDS = 0.02


class _Waiting(NamedTuple):
    """A photograph in the line; nobody wants it graded after `latest`."""

    runtime: Runtime
    asked: Asked
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
        self._waiting: deque[_Waiting] = deque()
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
            self._waiting.append(_Waiting(runtime, Asked(data, explain), latest, answer))
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
        share = min(TOGETHER, -(-len(self._waiting) // self._threads))
        # Of an odd number the last waits for the next turn, and for whoever comes until then.
        most = max(1, share - share % PASS)
        ends = time.monotonic() + TURN_SECONDS
        graded: list[_Graded] = []
        while len(graded) < most and time.monotonic() < ends:
            taken = self._take(min(PASS, most - len(graded)))
            if not taken:
                break
            answers = [waiting.answer for waiting in taken]
            graded += zip(answers, _outcomes(taken), strict=True)
        loop.call_soon_threadsafe(self._end_turn, loop, graded)

    def _take(self, most: int) -> list[_Waiting]:
        """The next who are graded in one forward pass, which is by one runtime."""
        taken: list[_Waiting] = []
        while len(taken) < most:
            try:
                waiting = self._waiting.popleft()
            except IndexError:  # There are no more, or another thread was quicker.
                break
            if taken and waiting.runtime is not taken[0].runtime:
                self._waiting.appendleft(waiting)
                break
            taken.append(waiting)
        return taken

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


def _outcomes(taken: Sequence[_Waiting]) -> list[Grade | Exception]:
    """Whoever waited for too long is told so: grading them would keep all behind them waiting."""
    now = time.monotonic()
    return taken[0].runtime.grade_each(
        [
            # Nobody waits any more for an answer that is done.
            OverloadedError() if now > waiting.latest or waiting.answer.done() else waiting.asked
            for waiting in taken
        ]
    )
