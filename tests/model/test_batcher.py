"""The batcher: bounded queue, bounded wait, and which requests share a batch or take turns."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

import pytest

from api.core.errors import OverloadedError
from api.core.imaging.decode import NotAnImageError
from api.model.batcher import DynamicBatcher
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest
from tests.model.slow_predictor import SlowPredictor
from tests.model.slow_predictor import pool as pool  # noqa: PLC0414 - a fixture
from tests.waiting import PATIENCE_SECONDS as PATIENCE


async def predict_all(batcher: DynamicBatcher, slow: SlowPredictor, *requests: bytes) -> list[Any]:
    """The results of concurrent requests; the first is running before the others are queued."""
    predictor = cast(Predictor, slow)
    futures = [
        asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one))) for one in requests
    ]
    await asyncio.to_thread(slow.started.wait, PATIENCE)
    while not all(one.done() for one in futures[2:]):
        await asyncio.sleep(0)
    slow.resume.set()
    return await asyncio.gather(*futures, return_exceptions=True)


def test_request_beyond_the_queue_limit_fails_immediately(pool: ThreadPoolExecutor) -> None:
    slow = SlowPredictor()
    results = asyncio.run(
        predict_all(DynamicBatcher(pool, 1, 2, PATIENCE), slow, b"a", b"b", b"c", b"d")
    )
    assert results[:2] == [b"a", b"b"]
    assert all(isinstance(one, OverloadedError) for one in results[2:])


def test_finished_requests_free_the_queue(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 1, PATIENCE), SlowPredictor()
    slow.resume.set()

    async def one_by_one() -> list[Any]:
        return [
            await batcher.predict(cast(Predictor, slow), PredictRequest(data))
            for data in (b"a", b"b", b"c")
        ]

    assert asyncio.run(one_by_one()) == [b"a", b"b", b"c"]


def test_expired_request_is_not_graded(pool: ThreadPoolExecutor) -> None:
    slow = SlowPredictor()
    slow.resume.set()
    batcher = DynamicBatcher(pool, 1, 10, max_wait_seconds=-1)
    with pytest.raises(OverloadedError) as refusal:
        asyncio.run(batcher.predict(cast(Predictor, slow), PredictRequest(b"a")))
    assert slow.graded == []
    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 1)


def test_queued_requests_run_in_order_and_get_their_own_results(
    pool: ThreadPoolExecutor,
) -> None:
    slow = SlowPredictor()
    requests = [bytes([number]) for number in range(11)]
    batcher = DynamicBatcher(pool, 1, 20, PATIENCE)

    async def run() -> list[Any]:
        predictor = cast(Predictor, slow)
        futures = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in requests
        ]
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        slow.resume.set()
        return await asyncio.gather(*futures)

    assert asyncio.run(run()) == requests
    assert slow.graded == requests


def test_failing_request_does_not_affect_its_batch(pool: ThreadPoolExecutor) -> None:
    class Picky(SlowPredictor):
        def outcome(self, data: bytes) -> bytes | Exception:
            return NotAnImageError() if data == b"bad" else data

    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), Picky()
    slow.resume.set()

    async def run() -> list[Any]:
        predictor = cast(Predictor, slow)
        futures = [
            batcher.predict(predictor, PredictRequest(one)) for one in (b"a", b"b", b"bad", b"c")
        ]
        return await asyncio.gather(*futures, return_exceptions=True)

    results = asyncio.run(run())
    assert (results[0], results[1], results[3]) == (b"a", b"b", b"c")
    assert isinstance(results[2], NotAnImageError)


def test_error_outside_single_grading_fails_only_its_batch(
    pool: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """If the thread swallowed it, its clients would wait and the thread be busy forever."""

    class Broken(SlowPredictor):
        def predict_batch(self, requests: Iterable[PredictRequest | Exception]) -> NoReturn:
            raise MemoryError(next(iter(requests)))

    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), SlowPredictor()
    slow.resume.set()

    async def run() -> bytes:
        with pytest.raises(MemoryError):
            await batcher.predict(cast(Predictor, Broken()), PredictRequest(b"a"))
        return cast(bytes, await batcher.predict(cast(Predictor, slow), PredictRequest(b"b")))

    assert asyncio.run(run()) == b"b"
    assert "A batch failed" in caplog.text


def test_requests_of_a_failed_batch_get_an_error_each(pool: ThreadPoolExecutor) -> None:
    """Their tasks would all write into the traceback of a single one."""

    class Broken(SlowPredictor):
        def predict_batch(self, requests: Iterable[PredictRequest | Exception]) -> NoReturn:
            list(requests)
            raise MemoryError("a batch")

    batcher, can_start = DynamicBatcher(pool, 1, 9, PATIENCE), threading.Event()

    async def run() -> list[Any]:
        pool.submit(can_start.wait, PATIENCE)  # So that all are queued first.
        predictor = cast(Predictor, Broken())
        futures = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c", b"d")
        ]
        await asyncio.sleep(0)
        can_start.set()
        return await asyncio.gather(*futures, return_exceptions=True)

    errors = asyncio.run(run())
    assert [(type(one), one.args) for one in errors] == [(MemoryError, ("a batch",))] * 4
    assert len({id(one) for one in errors}) == 4
    assert len({id(one.__cause__) for one in errors}) == 1


def test_cancelled_request_is_not_graded(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), SlowPredictor()

    async def cancel_one() -> bytes:
        predictor = cast(Predictor, slow)
        first, cancelled, last = (
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c")
        )
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        slow.resume.set()
        await first
        return cast(bytes, await last)

    assert asyncio.run(cancel_one()) == b"c"
    assert slow.graded == [b"a", b"c"]
    assert not batcher.is_full


def test_batch_has_requests_for_one_predictor(pool: ThreadPoolExecutor) -> None:
    """During a model swap, requests for the old and the new model are queued together."""
    batcher, old, new = DynamicBatcher(pool, 1, 9, PATIENCE), SlowPredictor(), SlowPredictor()
    new.resume.set()

    async def run() -> list[Any]:
        futures = [
            asyncio.ensure_future(batcher.predict(cast(Predictor, one), PredictRequest(data)))
            for one, data in ((old, b"a"), (old, b"b"), (new, b"c"), (old, b"d"), (new, b"e"))
        ]
        await asyncio.to_thread(old.started.wait, PATIENCE)
        old.resume.set()
        return await asyncio.gather(*futures)

    assert asyncio.run(run()) == [b"a", b"b", b"c", b"d", b"e"]
    assert (old.graded, new.graded) == ([b"a", b"b", b"d"], [b"c", b"e"])


class RecordingPredictor(SlowPredictor):
    """Records the batches; each waits until `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.resume.set()
        self.release = threading.Event()
        self.batches: list[list[bytes]] = []

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[bytes | Exception]:
        batch = list(requests)
        self.batches.append([one.data for one in batch if isinstance(one, PredictRequest)])
        assert self.release.wait(PATIENCE)
        return super().predict_batch(batch)


def test_odd_request_waits_for_a_full_forward_pass(pool: ThreadPoolExecutor) -> None:
    batcher, can_start, recording = (
        DynamicBatcher(pool, 1, 9, PATIENCE),
        threading.Event(),
        RecordingPredictor(),
    )

    async def run() -> None:
        pool.submit(can_start.wait, PATIENCE)  # So that all three are queued first.
        predictor = cast(Predictor, recording)
        futures = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c")
        ]
        await asyncio.sleep(0)
        can_start.set()
        while not recording.batches:
            await asyncio.sleep(0)
        futures.append(asyncio.ensure_future(batcher.predict(predictor, PredictRequest(b"d"))))
        await asyncio.sleep(0)
        recording.release.set()
        await asyncio.gather(*futures)

    asyncio.run(run())
    assert recording.batches == [[b"a", b"b"], [b"c", b"d"]]


def test_batch_has_at_most_max_batch_requests(pool: ThreadPoolExecutor) -> None:
    batcher, recording = DynamicBatcher(pool, 1, 99, PATIENCE), RecordingPredictor()
    can_start = threading.Event()
    recording.release.set()
    requests = [bytes([number]) for number in range(2 * MAX_BATCH)]

    async def run() -> list[Any]:
        pool.submit(can_start.wait, PATIENCE)  # So that all are queued first.
        predictor = cast(Predictor, recording)
        futures = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(data)))
            for data in requests
        ]
        await asyncio.sleep(0)
        can_start.set()
        return await asyncio.gather(*futures)

    assert asyncio.run(run()) == requests
    assert recording.batches == [requests[:MAX_BATCH], requests[MAX_BATCH:]]


def test_batch_starts_without_another_loop_iteration() -> None:
    slow = SlowPredictor()

    async def run(batcher: DynamicBatcher) -> bytes:
        future = asyncio.ensure_future(batcher.predict(cast(Predictor, slow), PredictRequest(b"a")))
        await asyncio.sleep(0)
        assert slow.started.wait(PATIENCE)  # Without another loop iteration.
        slow.resume.set()
        return cast(bytes, await future)

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(run(DynamicBatcher(pool, 2, 9, PATIENCE))) == b"a"
