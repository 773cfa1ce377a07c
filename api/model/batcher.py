"""Dynamic batching of concurrent predictions.

At most `max_queue` predictions are pending; a worker thread takes up to MAX_BATCH of them at a
time. A prediction that finds the queue full, or waits longer than `max_wait_seconds`, fails with
OverloadedError (503).
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


class _Pending(NamedTuple):
    """A queued request; `deadline` is a `time.monotonic`."""

    predictor: Predictor
    request: PredictRequest
    deadline: float
    future: asyncio.Future[Grade]


_Outcome = tuple[asyncio.Future[Grade], Grade | Exception]


class DynamicBatcher:
    """Batches predictions of one event loop; call it from that loop only.

    It uses `threads` threads of `pool`, which may have other work as well.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, threads: int, max_queue: int, max_wait_seconds: float
    ) -> None:
        self._pool = pool
        self._threads = threads
        self._max_queue = max_queue
        self._max_wait_seconds = max_wait_seconds
        self._queue: deque[_Pending] = deque()
        self._pending = 0  # Queued or running.
        self._running = 0  # Batches.

    @property
    def is_full(self) -> bool:
        return self._pending >= self._max_queue

    def check_capacity(self) -> None:
        """Raises OverloadedError where the queue is full; call it before reading the request."""
        if self.is_full:
            raise OverloadedError()

    async def predict(self, predictor: Predictor, request: PredictRequest) -> Grade:
        """`predictor.predict`, batched. Raises OverloadedError as well."""
        self.check_capacity()
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Grade] = loop.create_future()
            deadline = time.monotonic() + self._max_wait_seconds
            self._queue.append(_Pending(predictor, request, deadline, future))
            self._start_batch(loop)
            return await future
        finally:
            self._pending -= 1

    def _start_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._running < self._threads:
            self._running += 1
            self._pool.submit(self._run_batch, loop)

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a worker thread: grade the next batch, an even share of the queue."""
        share = min(MAX_BATCH, -(-len(self._queue) // self._threads))
        # Whole forward passes: the last of an odd number joins the next batch.
        size = max(1, share - share % FORWARD_BATCH)
        batch: list[_Pending] = []
        outcomes: list[_Outcome] = []
        if first := self._pop():
            requests = map(_request, take_batch(self._take(first, batch), size))
            results = first.predictor.predict_batch(requests)
            outcomes = list(zip((pending.future for pending in batch), results, strict=True))
        loop.call_soon_threadsafe(self._end_batch, loop, outcomes)

    def _take(self, first: _Pending, batch: list[_Pending]) -> Iterator[_Pending]:
        """Move `first` and the requests behind it into `batch`, up to another predictor's."""
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

    def _end_batch(self, loop: asyncio.AbstractEventLoop, outcomes: list[_Outcome]) -> None:
        self._running -= 1
        if self._queue:
            self._start_batch(loop)
        for future, result in outcomes:
            if future.done():  # The client disconnected.
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def _request(pending: _Pending) -> PredictRequest | OverloadedError:
    """The request, or an error for one that is late or whose client disconnected."""
    # Grading late requests would make all others late as well.
    expired = time.monotonic() > pending.deadline or pending.future.done()
    return OverloadedError() if expired else pending.request
