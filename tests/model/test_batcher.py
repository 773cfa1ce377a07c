"""The batcher: bounded queue, bounded wait, and which requests share a batch."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from api.core.errors import OverloadedError
from api.core.imaging.decode import NotAnImageError
from api.model.batcher import DynamicBatcher
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest

PATIENCE = 20


class SlowPredictor:
    """A predictor that waits for `resume`, and whose grades are the requests' bytes."""

    def __init__(self) -> None:
        self.resume = threading.Event()
        self.started = threading.Event()
        self.graded: list[bytes] = []

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[bytes | Exception]:
        self.started.set()
        assert self.resume.wait(PATIENCE)
        taken = list(requests)
        assert 1 <= len(taken) <= MAX_BATCH
        self.graded += [one.data for one in taken if isinstance(one, PredictRequest)]
        return [self.outcome(one.data) if isinstance(one, PredictRequest) else one for one in taken]

    def outcome(self, data: bytes) -> bytes | Exception:
        return data


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def _ask(batcher: DynamicBatcher, slow: SlowPredictor, *photographs: bytes) -> list[Any]:
    """The results of concurrent requests; the first is running before the others finish."""
    predictor = cast(Predictor, slow)
    asked = [
        asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
        for one in photographs
    ]
    await asyncio.to_thread(slow.started.wait, PATIENCE)
    while not all(one.done() for one in asked[2:]):
        await asyncio.sleep(0)
    slow.resume.set()
    return await asyncio.gather(*asked, return_exceptions=True)


def test_a_request_beyond_the_queue_limit_fails_at_once(pool: ThreadPoolExecutor) -> None:
    slow = SlowPredictor()
    came = asyncio.run(_ask(DynamicBatcher(pool, 1, 2, PATIENCE), slow, b"a", b"b", b"c", b"d"))
    assert came[:2] == [b"a", b"b"]
    assert all(isinstance(one, OverloadedError) for one in came[2:])


def test_finished_requests_free_the_queue(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 1, PATIENCE), SlowPredictor()
    slow.resume.set()

    async def one_by_one() -> list[Any]:
        return [
            await batcher.predict(cast(Predictor, slow), PredictRequest(data))
            for data in (b"a", b"b", b"c")
        ]

    assert asyncio.run(one_by_one()) == [b"a", b"b", b"c"]


def test_a_request_past_its_deadline_is_not_graded(pool: ThreadPoolExecutor) -> None:
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
    photographs = [bytes([number]) for number in range(11)]
    batcher = DynamicBatcher(pool, 1, 20, PATIENCE)

    async def ask() -> list[Any]:
        predictor = cast(Predictor, slow)
        asked = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in photographs
        ]
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        slow.resume.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == photographs
    assert slow.graded == photographs


def test_an_error_belongs_to_its_request_alone(pool: ThreadPoolExecutor) -> None:
    class Picky(SlowPredictor):
        def outcome(self, data: bytes) -> bytes | Exception:
            return NotAnImageError() if data == b"bad" else data

    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), Picky()
    slow.resume.set()

    async def ask() -> list[Any]:
        predictor = cast(Predictor, slow)
        asked = [
            batcher.predict(predictor, PredictRequest(one)) for one in (b"a", b"b", b"bad", b"c")
        ]
        return await asyncio.gather(*asked, return_exceptions=True)

    came = asyncio.run(ask())
    assert (came[0], came[1], came[3]) == (b"a", b"b", b"c")
    assert isinstance(came[2], NotAnImageError)


def test_a_cancelled_request_is_not_graded(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), SlowPredictor()

    async def cancel_one() -> bytes:
        predictor = cast(Predictor, slow)
        first, gone, last = (
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c")
        )
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        gone.cancel()
        await asyncio.wait([gone])
        slow.resume.set()
        await first
        return cast(bytes, await last)

    assert asyncio.run(cancel_one()) == b"c"
    assert slow.graded == [b"a", b"c"]
    assert not batcher.is_full


def test_a_batch_is_for_one_predictor(pool: ThreadPoolExecutor) -> None:
    """During a model swap, requests for the old and the new model are queued together."""
    batcher, old, new = DynamicBatcher(pool, 1, 9, PATIENCE), SlowPredictor(), SlowPredictor()
    new.resume.set()

    async def ask() -> list[Any]:
        asked = [
            asyncio.ensure_future(batcher.predict(cast(Predictor, one), PredictRequest(data)))
            for one, data in ((old, b"a"), (old, b"b"), (new, b"c"), (old, b"d"), (new, b"e"))
        ]
        await asyncio.to_thread(old.started.wait, PATIENCE)
        old.resume.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == [b"a", b"b", b"c", b"d", b"e"]
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
        taken = list(requests)
        self.batches.append([one.data for one in taken if isinstance(one, PredictRequest)])
        assert self.release.wait(PATIENCE)
        return super().predict_batch(taken)


def test_an_odd_request_waits_for_a_full_forward_pass(pool: ThreadPoolExecutor) -> None:
    batcher, begin, recording = (
        DynamicBatcher(pool, 1, 9, PATIENCE),
        threading.Event(),
        RecordingPredictor(),
    )

    async def ask() -> None:
        pool.submit(begin.wait, PATIENCE)  # So that all three are queued first.
        predictor = cast(Predictor, recording)
        asked = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c")
        ]
        await asyncio.sleep(0)
        begin.set()
        while not recording.batches:
            await asyncio.sleep(0)
        asked.append(asyncio.ensure_future(batcher.predict(predictor, PredictRequest(b"d"))))
        await asyncio.sleep(0)
        recording.release.set()
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert recording.batches == [[b"a", b"b"], [b"c", b"d"]]


def test_a_batch_has_at_most_max_batch_requests(pool: ThreadPoolExecutor) -> None:
    batcher, recording = DynamicBatcher(pool, 1, 99, PATIENCE), RecordingPredictor()
    begin = threading.Event()
    recording.release.set()
    photographs = [bytes([number]) for number in range(2 * MAX_BATCH)]

    async def ask() -> list[Any]:
        pool.submit(begin.wait, PATIENCE)  # So that all are queued first.
        predictor = cast(Predictor, recording)
        asked = [
            asyncio.ensure_future(batcher.predict(predictor, PredictRequest(data)))
            for data in photographs
        ]
        await asyncio.sleep(0)
        begin.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == photographs
    assert recording.batches == [photographs[:MAX_BATCH], photographs[MAX_BATCH:]]


def test_a_batch_starts_at_once() -> None:
    slow = SlowPredictor()

    async def ask(batcher: DynamicBatcher) -> bytes:
        asked = asyncio.ensure_future(batcher.predict(cast(Predictor, slow), PredictRequest(b"a")))
        await asyncio.sleep(0)
        assert slow.started.wait(PATIENCE)  # Without another loop iteration.
        slow.resume.set()
        return cast(bytes, await asked)

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(DynamicBatcher(pool, 2, 9, PATIENCE))) == b"a"
