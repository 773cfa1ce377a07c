"""Dynamic batching of concurrent predictions.

At most `max_queue` predictions are pending; a worker thread takes up to MAX_BATCH of them at a
time. A prediction that finds the queue full, or waits longer than `max_wait_seconds`, fails with
OverloadedError (503).

There are two queues: photos graded as a whole, in batches, and photos graded fruit by fruit, in
steps (`model.instances`). A photo of the second kind counts as several. A thread takes from the two
in turn.

On a single core a worker thread gains nothing: it and the event loop would only wait for the
interpreter lock in turn. So the event loop grades small photos itself.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.core.errors import OverloadedError, each_its_own
from api.core.imaging.decode import decodes_quickly
from api.model.engines.litert import FORWARD_BATCH
from api.model.grade import Grade
from api.model.instances import InstanceGrading
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest, take_batch

log = logging.getLogger(__name__)


class _Pending(NamedTuple):
    """A queued or running request; `deadline`, in seconds of `time.monotonic`, is when it must
    have begun.

    `grading` is set for a request with instances. `is_quick`: the event loop may grade it.
    """

    predictor: Predictor
    request: PredictRequest
    deadline: float
    future: asyncio.Future[Grade]
    grading: InstanceGrading | None = None
    is_quick: bool = False

    def request_or_error(self) -> PredictRequest | OverloadedError:
        """The request; an error if it was cancelled, or is late and has not begun."""
        has_begun = self.grading is not None and self.grading.has_begun
        # Grading late requests would make all others late as well.
        late = not has_begun and time.monotonic() > self.deadline
        return OverloadedError() if late or self.future.done() else self.request


def _step(pending: _Pending, grading: InstanceGrading) -> Grade | Exception | None:
    """The next step of a request with instances; None if there are more."""
    request = pending.request_or_error()
    return request if isinstance(request, Exception) else grading.try_step()


class DynamicBatcher:
    """Batches predictions of one event loop; call it from that loop only.

    It uses all `threads` of `pool`, and other work there delays it. `max_queue` counts running
    requests too. With `in_loop`, for a single thread on a single core, the event loop grades small
    photos itself and answers nothing meanwhile.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        threads: int,
        max_queue: int,
        max_wait_seconds: float,
        *,
        in_loop: bool = False,
    ) -> None:
        if in_loop and threads != 1:
            raise ValueError(f"Only a single thread can grade in the event loop, not {threads}.")
        self._pool = pool
        self._threads = threads
        self._in_loop = in_loop
        self._max_queue = max_queue
        self._max_wait_seconds = max_wait_seconds
        self._queue: deque[_Pending] = deque()
        # Requests with instances, and whether one of them ran last.
        self._steps: deque[_Pending] = deque()
        self._after_step = False
        self._gradings: set[InstanceGrading] = set()
        self._pending_requests = 0  # Queued or running.
        self._running_batches = 0

    @property
    def is_full(self) -> bool:
        # A step takes as long as grading a photo.
        further_steps = sum(grading.steps_left for grading in self._gradings)
        return self._pending_requests + further_steps >= self._max_queue

    def check_capacity(self) -> None:
        """Raises OverloadedError if the queue is full; call it before reading the request."""
        if self.is_full:
            raise OverloadedError()

    async def predict(self, predictor: Predictor, request: PredictRequest) -> Grade:
        """`predictor.predict`, batched. Raises what that raises, OverloadedError and, for a request
        with instances, NoDetectorError.
        """
        self.check_capacity()
        grading = InstanceGrading(predictor, request) if request.instances else None
        self._pending_requests += 1
        if grading:
            self._gradings.add(grading)
        try:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Grade] = loop.create_future()
            deadline = time.monotonic() + self._max_wait_seconds
            queue = self._steps if grading else self._queue
            is_quick = self._in_loop and _is_quick(request)
            queue.append(_Pending(predictor, request, deadline, future, grading, is_quick))
            self._start_batch(loop)
            return await future
        finally:
            self._pending_requests -= 1
            if grading:
                self._gradings.discard(grading)

    def _start_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._running_batches < self._threads:
            self._running_batches += 1
            if self._in_loop:
                _after_next_round(loop, self._run_in_loop)
            else:
                self._pool.submit(self._run_in_thread, loop)

    def _run_in_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._steps or (self._queue and not self._queue[0].is_quick):
            self._pool.submit(self._run_in_thread, loop)
        else:
            self._end_batch(loop, *self._run_batch())

    def _run_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(self._end_batch, loop, *self._run_batch())

    def _run_batch(self) -> tuple[list[_Pending], Sequence[Grade | Exception | None]]:
        """Take a step, or grade an even share of the queue. Both queues may be empty by now.

        Returns the requests and, for each, its result; None after a step that was not the last.
        """
        batch: list[_Pending] = []
        try:
            first = self._next()
            if first is None:
                return batch, []
            if first.grading:
                batch.append(first)
                return batch, [_step(first, first.grading)]
            return batch, self._grade_share(first, batch)
        except Exception as error:
            # Without an answer, the requests would wait for ever and the thread count as busy.
            log.exception("A batch failed")
            return batch, each_its_own(error, len(batch))

    def _grade_share(self, first: _Pending, batch: list[_Pending]) -> list[Grade | Exception]:
        """Grade `first` and this thread's share of the queue behind it; adds them to `batch`."""
        share = min(MAX_BATCH, math.ceil((1 + len(self._queue)) / self._threads))
        # Whole forward passes: the last of an odd number joins the next batch.
        size = max(1, share - share % FORWARD_BATCH)
        # Lazy: `take_batch` ends the batch early where decoding takes long.
        return first.predictor.predict_batch(
            pending.request_or_error() for pending in take_batch(self._take(first, batch), size)
        )

    def _take(self, first: _Pending, batch: list[_Pending]) -> Iterator[_Pending]:
        """Yield `first` and the requests behind it, until one needs another predictor or thread;
        each is also added to `batch`."""
        pending: _Pending | None = first
        while pending and (pending.predictor, pending.is_quick) == (
            first.predictor,
            first.is_quick,
        ):
            batch.append(pending)
            yield pending
            pending = _pop(self._queue)
        if pending:
            self._queue.appendleft(pending)

    def _next(self) -> _Pending | None:
        """The next request: a step after a batch, a batch after a step, or whatever there is."""
        turns = (self._queue, self._steps) if self._after_step else (self._steps, self._queue)
        pending = _pop(turns[0]) or _pop(turns[1])
        self._after_step = pending is not None and pending.grading is not None
        return pending

    def _end_batch(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Pending],
        results: Sequence[Grade | Exception | None],
    ) -> None:
        """In the event loop: start the next batch, then hand out the results."""
        self._running_batches -= 1
        if results and results[0] is None:
            # At the front: photos finish one after another, instead of all late.
            self._steps.appendleft(batch[0])
        if self._queue or self._steps:
            self._start_batch(loop)
        for pending, result in zip(batch, results, strict=True):
            if result is None or pending.future.done():  # Done: cancelled.
                continue
            if isinstance(result, Exception):
                pending.future.set_exception(result)
            else:
                pending.future.set_result(result)


def _is_quick(request: PredictRequest) -> bool:
    """Whether preprocessing takes no longer than a forward pass; a heat map takes longer."""
    return not request.explain and not request.instances and decodes_quickly(request.data)


def _after_next_round(
    loop: asyncio.AbstractEventLoop, callback: Callable[[asyncio.AbstractEventLoop], None]
) -> None:
    """Call `callback(loop)` once requests that have already arrived are in the queue.

    uvloop reads sockets after this round, and starts the tasks of what it read in the next one.
    """
    loop.call_soon(loop.call_soon, callback, loop)


def _pop(queue: deque[_Pending]) -> _Pending | None:
    try:
        return queue.popleft()
    except IndexError:  # Empty, perhaps because another thread was faster.
        return None
