"""Dynamic batching of concurrent predictions.

At most `max_queue` predictions are pending; a worker thread takes up to MAX_BATCH of them at a
time. A prediction that finds the queue full, or waits longer than `max_wait_seconds`, fails with
OverloadedError (503).
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from api.core.errors import OverloadedError
from api.model.litert import FORWARD_BATCH
from api.model.predictor import MAX_BATCH, Grade, Predictor, PredictRequest, take_batch


class _Pending(NamedTuple):
    """A queued or running request; `deadline` is a `time.monotonic`."""

    predictor: Predictor
    request: PredictRequest
    deadline: float
    future: asyncio.Future[Grade]

    def unless_expired(self) -> PredictRequest | OverloadedError:
        """The request, or an error if it is late or its client disconnected."""
        # Grading late requests would make all others late as well.
        expired = time.monotonic() > self.deadline or self.future.done()
        return OverloadedError() if expired else self.request


class DynamicBatcher:
    """Batches predictions of one event loop; call it from that loop only.

    It uses `threads` threads of `pool`, which may have other work as well. `max_queue` counts
    running requests too.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, threads: int, max_queue: int, max_wait_seconds: float
    ) -> None:
        self._pool = pool
        self._threads = threads
        self._max_queue = max_queue
        self._max_wait_seconds = max_wait_seconds
        self._queue: deque[_Pending] = deque()
        self._pending_requests = 0  # Queued or running.
        self._running_batches = 0

    @property
    def is_full(self) -> bool:
        return self._pending_requests >= self._max_queue

    def check_capacity(self) -> None:
        """Raises OverloadedError if the queue is full; call it before reading the request."""
        if self.is_full:
            raise OverloadedError()

    async def predict(self, predictor: Predictor, request: PredictRequest) -> Grade:
        """`predictor.predict`, batched. Raises OverloadedError and what that raises."""
        self.check_capacity()
        self._pending_requests += 1
        try:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Grade] = loop.create_future()
            deadline = time.monotonic() + self._max_wait_seconds
            self._queue.append(_Pending(predictor, request, deadline, future))
            self._start_batch(loop)
            return await future
        finally:
            self._pending_requests -= 1

    def _start_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._running_batches < self._threads:
            self._running_batches += 1
            self._pool.submit(self._run_batch, loop)

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a worker thread: grade an even share of the queue, which may be empty by now."""
        share = min(MAX_BATCH, math.ceil(len(self._queue) / self._threads))
        # Whole forward passes: the last of an odd number joins the next batch.
        size = max(1, share - share % FORWARD_BATCH)
        batch: list[_Pending] = []
        results: list[Grade | Exception] = []
        if first := self._pop():
            # Lazy: `take_batch` ends the batch early where decoding takes long.
            results = first.predictor.predict_batch(
                pending.unless_expired() for pending in take_batch(self._take(first, batch), size)
            )
        loop.call_soon_threadsafe(self._end_batch, loop, batch, results)

    def _take(self, first: _Pending, batch: list[_Pending]) -> Iterator[_Pending]:
        """Yield `first` and the requests queued behind it, up to one for another predictor.

        Each is also appended to `batch`.
        """
        pending: _Pending | None = first
        while pending and pending.predictor is first.predictor:
            batch.append(pending)
            yield pending
            pending = self._pop()
        if pending:
            self._queue.appendleft(pending)

    def _pop(self) -> _Pending | None:
        try:
            return self._queue.popleft()
        except IndexError:  # Empty, maybe since another thread was faster.
            return None

    def _end_batch(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Pending],
        results: list[Grade | Exception],
    ) -> None:
        """In the event loop: start the next batch, then hand out the results."""
        self._running_batches -= 1
        if self._queue:
            self._start_batch(loop)
        for pending, result in zip(batch, results, strict=True):
            if pending.future.done():  # The client disconnected.
                continue
            if isinstance(result, Exception):
                pending.future.set_exception(result)
            else:
                pending.future.set_result(result)
