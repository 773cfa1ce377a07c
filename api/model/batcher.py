"""The line in front of the inference threads: of bounded length, and nobody waits in it for long.

Under any load a photograph is graded within a bounded time, or refused at once with a word on when
to come again. Where several wait, a thread takes a few of them in one turn.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.core.errors import OverloadedError
from api.model.litert import FORWARD_BATCH
from api.model.predictor import MAX_BATCH, Grade, Predictor, PredictRequest, take_batch

# After so many rounds of the event loop that brought nobody, or so long, nobody is about to come.
QUIET_ROUNDS = 6
GATHER_SECONDS = 0.003


class _Waiting(NamedTuple):
    """A photograph in the line; nobody wants it graded after `latest`."""

    runtime: Predictor
    asked: PredictRequest
    latest: float
    answer: asyncio.Future[Grade]


_Graded = tuple[asyncio.Future[Grade], Grade | Exception]


class DynamicBatcher:
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
        self._gathering = False

    @property
    def full(self) -> bool:
        return self._inside >= self._longest

    def check(self) -> None:
        """Ask before work is put in. Raises OverloadedError where the next would find no room."""
        if self.full:
            raise OverloadedError()

    async def grade(self, runtime: Predictor, data: bytes, explain: bool) -> Grade:
        """As `runtime.grade`, in a thread. Raises OverloadedError, too."""
        self.check()
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Grade] = loop.create_future()
            latest = time.monotonic() + self._seconds
            self._waiting.append(_Waiting(runtime, PredictRequest(data, explain), latest, answer))
            self._begin(loop)
            return await answer
        finally:
            self._inside -= 1

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have those who wait graded. A single thread waits until the event loop has nothing else
        to do, which would only interrupt it, and takes in one turn whoever came by then.
        """
        if self._threads > 1:
            self._begin_turn(loop)
        elif not self._turns and not self._gathering:
            self._gathering = True
            self._gather(loop, time.monotonic() + GATHER_SECONDS)

    def _gather(
        self, loop: asyncio.AbstractEventLoop, ends: float, waiting: int = 0, quiet: int = 0
    ) -> None:
        """Once in each round of the event loop: `waiting` is how many there were, since `quiet`
        rounds.
        """
        now = len(self._waiting)
        quiet = quiet + 1 if now == waiting else 0
        if now < MAX_BATCH and quiet < QUIET_ROUNDS and time.monotonic() < ends:
            loop.call_soon(self._gather, loop, ends, now, quiet)
        else:
            self._gathering = False
            self._begin_turn(loop)

    def _begin_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._turns < self._threads:
            self._turns += 1
            self._pool.submit(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: grade the next few, of whom the other threads get their share."""
        share = min(MAX_BATCH, -(-len(self._waiting) // self._threads))
        # Of an odd number the last waits for the next turn, and for whoever comes until then.
        most = max(1, share - share % FORWARD_BATCH)
        taken: list[_Waiting] = []
        graded: list[_Graded] = []
        if first := self._next():
            few = map(_asked, take_batch(self._from(first, taken), most))
            outcomes = first.runtime.predict_batch(few)
            graded = list(zip((waiting.answer for waiting in taken), outcomes, strict=True))
        loop.call_soon_threadsafe(self._end_turn, loop, graded)

    def _from(self, first: _Waiting, taken: list[_Waiting]) -> Iterator[_Waiting]:
        """`first`, and who waits behind it for the same runtime; whoever is given is `taken`."""
        waiting: _Waiting | None = first
        while waiting and waiting.runtime is first.runtime:
            taken.append(waiting)
            yield waiting
            waiting = self._next()
        if waiting:
            self._waiting.appendleft(waiting)

    def _next(self) -> _Waiting | None:
        try:
            return self._waiting.popleft()
        except IndexError:  # There are no more, or another thread was quicker.
            return None

    def _end_turn(self, loop: asyncio.AbstractEventLoop, graded: list[_Graded]) -> None:
        self._turns -= 1
        if self._waiting:
            self._begin(loop)
        for answer, outcome in graded:
            if answer.done():  # The client went away.
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


def _asked(waiting: _Waiting) -> PredictRequest | OverloadedError:
    """Whoever waited for too long is told so: grading them would keep all behind them waiting."""
    # Nobody waits any more for an answer that is done.
    late = time.monotonic() > waiting.latest or waiting.answer.done()
    return OverloadedError() if late else waiting.asked
