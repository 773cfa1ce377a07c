"""Dynamic batching of concurrent predictions.

At most `max_queue` predictions are pending; a worker thread takes up to MAX_BATCH of them at a
time. A prediction that finds the queue full, or waits longer than `max_wait_seconds`, fails with
OverloadedError (503).

A photo of which each fruit is graded takes several steps (`model.instances`), and counts as many in
the queue. Steps and batches take turns, so that neither waits for more than one of the other.

On a single core, small photos are graded in the event loop's own thread. With a worker thread, the
two would only hand the interpreter's lock to and fro.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.core.errors import OverloadedError
from api.core.imaging.decode import decodes_quickly
from api.model.engines.litert import FORWARD_BATCH
from api.model.grade import Grade
from api.model.instances import InstanceGrading
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest, take_batch


class _Pending(NamedTuple):
    """A queued or running request; `deadline` is a `time.monotonic`.

    `grading` is there for a request with instances. `in_loop`: it is graded in the event loop.
    """

    predictor: Predictor
    request: PredictRequest
    deadline: float
    future: asyncio.Future[Grade]
    grading: InstanceGrading | None = None
    in_loop: bool = False

    def unless_expired(self) -> PredictRequest | OverloadedError:
        """The request, or an error if it is late or its client disconnected."""
        # Grading late requests would make all others late as well.
        expired = time.monotonic() > self.deadline or self.future.done()
        return OverloadedError() if expired else self.request

    def step(self) -> Grade | Exception | None:
        """The next step of `grading`; None if there are more."""
        if isinstance(request := self.unless_expired(), Exception):
            return request
        assert self.grading is not None  # noqa: S101  (the caller's choice of queue)
        return self.grading.try_step()


class DynamicBatcher:
    """Batches predictions of one event loop; call it from that loop only.

    It uses `threads` threads of `pool`, which may have other work as well. `max_queue` counts
    running requests too. With `in_loop`, which is for a single thread on a single core, the event
    loop grades small photos itself and answers nothing meanwhile.
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
        further_steps = sum(grading.steps_left for grading in self._gradings)
        return self._pending_requests + further_steps >= self._max_queue

    def check_capacity(self) -> None:
        """Raises OverloadedError if the queue is full; call it before reading the request."""
        if self.is_full:
            raise OverloadedError()

    async def predict(self, predictor: Predictor, request: PredictRequest) -> Grade:
        """`predictor.predict`, batched. Raises OverloadedError, NoDetectorError for a request with
        instances, and what that raises.
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
            in_loop = self._in_loop and _is_quick(request)
            queue.append(_Pending(predictor, request, deadline, future, grading, in_loop))
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
                # Two rounds later: by then requests that have arrived are in the queue.
                loop.call_soon(loop.call_soon, self._run_in_loop, loop)
            else:
                self._pool.submit(self._run_in_thread, loop)

    def _run_in_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._steps or (self._queue and not self._queue[0].in_loop):
            self._pool.submit(self._run_in_thread, loop)
        else:
            self._end_batch(loop, *self._run_batch())

    def _run_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(self._end_batch, loop, *self._run_batch())

    def _run_batch(self) -> tuple[list[_Pending], Sequence[Grade | Exception | None]]:
        """Take a step, or grade an even share of the queue. Both queues may be empty by now.

        Returns the requests and, for each, its result; None after a step that was not the last.
        """
        share = min(MAX_BATCH, math.ceil(len(self._queue) / self._threads))
        # Whole forward passes: the last of an odd number joins the next batch.
        size = max(1, share - share % FORWARD_BATCH)
        batch: list[_Pending] = []
        results: Sequence[Grade | Exception | None] = []
        first = self._next()
        if first and first.grading:
            batch, results = [first], [first.step()]
        elif first:
            # Lazy: `take_batch` ends the batch early where decoding takes long.
            results = first.predictor.predict_batch(
                pending.unless_expired() for pending in take_batch(self._take(first, batch), size)
            )
        return batch, results

    def _take(self, first: _Pending, batch: list[_Pending]) -> Iterator[_Pending]:
        """Yield `first` and the requests queued behind it, up to one for another predictor or
        thread.

        Each is also appended to `batch`.
        """
        pending: _Pending | None = first
        while pending and (pending.predictor, pending.in_loop) == (first.predictor, first.in_loop):
            batch.append(pending)
            yield pending
            pending = _pop(self._queue)
        if pending:
            self._queue.appendleft(pending)

    def _next(self) -> _Pending | None:
        """The next of the queue whose turn it is, or of the other one."""
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
        # At the front: photos finish one after another, instead of all late.
        self._steps.extendleft(
            pending for pending, result in zip(batch, results, strict=True) if result is None
        )
        if self._queue or self._steps:
            self._start_batch(loop)
        for pending, result in zip(batch, results, strict=True):
            if result is None or pending.future.done():  # Done: the client disconnected.
                continue
            if isinstance(result, Exception):
                pending.future.set_exception(result)
            else:
                pending.future.set_result(result)


def _is_quick(request: PredictRequest) -> bool:
    """Whether preprocessing takes no longer than a forward pass; a heat map does."""
    return not request.explain and not request.instances and decodes_quickly(request.data)


def _pop(queue: deque[_Pending]) -> _Pending | None:
    try:
        return queue.popleft()
    except IndexError:  # Empty, maybe since another thread was faster.
        return None
