"""The batcher with photos of many fruits, which it grades step by step."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.boxes import Box
from api.core.errors import OverloadedError
from api.core.imaging.decode import NotAnImageError
from api.model import batcher as batcher_module
from api.model.batcher import DynamicBatcher
from api.model.detector import Detection
from api.model.instances import STEP, NoDetectorError
from api.model.predictor import PredictRequest
from tests.heads import make_head
from tests.model.slow_predictor import SlowPredictor
from tests.model.slow_predictor import pool as pool  # noqa: PLC0414 - a fixture
from tests.model.test_predictor import WEIGHTS, make_predictor, png
from tests.waiting import PATIENCE_SECONDS as PATIENCE


class StepPredictor(SlowPredictor):
    """Finds `fruits` in every photo, and waits for `resume` before each forward pass.

    `work` records what it did: "find", the pictures of a step, or a batch of plain requests.
    """

    def __init__(self, fruits: int) -> None:
        super().__init__()
        self.fruits = fruits
        self.work: list[Any] = []
        self.predictor = make_predictor(make_head(WEIGHTS))
        self.predictor.detector = self.find
        forward = self.predictor.forward

        def waiting(inputs: Sequence[Image.Image]) -> Any:
            self.started.set()
            assert self.resume.wait(PATIENCE)
            self.work.append(len(inputs))
            return forward(inputs)

        self.predictor.forward = waiting  # type: ignore[method-assign]
        self.predictor.predict_batch = self.predict_batch  # type: ignore[assignment, method-assign]

    def find(self, pixels: NDArray[np.uint8]) -> list[Detection]:
        self.work.append("find")
        return [Detection(Box(k, 0, 9 + k, 9), 0.9, "apple") for k in range(self.fruits)]

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[bytes | Exception]:
        results = super().predict_batch(requests)
        self.work.append(results)
        return results


INSTANCES = PredictRequest(png("red"), instances=True)


def test_plain_requests_and_steps_take_turns(pool: ThreadPoolExecutor) -> None:
    """A photo with many fruits delays others by at most one step, even if several such photos are
    queued, since those are graded one after the other.
    """
    batcher, slow = DynamicBatcher(pool, 1, 999, PATIENCE), StepPredictor(3 * STEP - 1)

    async def run() -> list[Any]:
        crates = [
            asyncio.ensure_future(batcher.predict(slow.predictor, INSTANCES)) for _ in range(4)
        ]
        await asyncio.to_thread(slow.started.wait, PATIENCE)  # In the first step after "find".
        plain = [
            asyncio.ensure_future(batcher.predict(slow.predictor, PredictRequest(one)))
            for one in (b"a", b"b", b"c")
        ]
        await asyncio.sleep(0)
        slow.resume.set()
        return await asyncio.gather(*plain, *crates)

    first, second, third, *crates = asyncio.run(run())
    assert (first, second, third) == (b"a", b"b", b"c")
    assert all(len(grade.instances.fruits) == slow.fruits for grade in crates)
    assert slow.work == [
        *("find", STEP, [b"a", b"b"], STEP, [b"c"], STEP),
        *3 * ["find", STEP, STEP, STEP],
    ]


@pytest.mark.parametrize(("max_queue", "is_full"), [(3, True), (4, False)])
def test_a_photo_with_many_fruits_counts_as_many(
    pool: ThreadPoolExecutor, max_queue: int, is_full: bool
) -> None:
    batcher, slow = DynamicBatcher(pool, 1, max_queue, PATIENCE), StepPredictor(3 * STEP - 1)

    async def run() -> bool:
        crate = asyncio.ensure_future(batcher.predict(slow.predictor, INSTANCES))
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        during = batcher.is_full
        slow.resume.set()
        await crate
        return during

    assert asyncio.run(run()) == is_full
    assert not batcher.is_full


def test_cancelled_request_is_not_graded_any_further(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 6, PATIENCE), StepPredictor(9 * STEP)

    async def run() -> bytes:
        crate = asyncio.ensure_future(batcher.predict(slow.predictor, INSTANCES))
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        assert batcher.is_full
        crate.cancel()
        await asyncio.wait([crate])
        slow.resume.set()
        await batcher.predict(slow.predictor, PredictRequest(b"a"))
        return cast(bytes, await batcher.predict(slow.predictor, PredictRequest(b"b")))

    assert asyncio.run(run()) == b"b"
    assert slow.work == ["find", STEP, [b"a"], [b"b"]]
    assert not batcher.is_full


def test_expired_request_with_instances_is_not_graded(pool: ThreadPoolExecutor) -> None:
    slow = StepPredictor(1)
    with pytest.raises(OverloadedError):
        asyncio.run(DynamicBatcher(pool, 1, 9, -1).predict(slow.predictor, INSTANCES))
    assert slow.work == []


def test_photo_that_is_being_graded_does_not_expire(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for waiting only: otherwise a retry would grade a slow photo all over
    again."""
    batcher, slow = DynamicBatcher(pool, 1, 99, PATIENCE), StepPredictor(3 * STEP - 1)

    async def run() -> Any:
        crate = asyncio.ensure_future(batcher.predict(slow.predictor, INSTANCES))
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        now = time.monotonic()
        later = SimpleNamespace(monotonic=lambda: now + 2 * PATIENCE)
        monkeypatch.setattr(batcher_module, "time", later)
        slow.resume.set()
        return await crate

    assert len(asyncio.run(run()).instances.fruits) == slow.fruits


def test_request_with_instances_needs_a_detector(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), StepPredictor(1)
    slow.predictor.detector = None
    with pytest.raises(NoDetectorError):
        asyncio.run(batcher.predict(slow.predictor, INSTANCES))
    assert not batcher.is_full


def test_bad_file_with_instances_gets_its_problem(pool: ThreadPoolExecutor) -> None:
    batcher, slow = DynamicBatcher(pool, 1, 9, PATIENCE), StepPredictor(1)
    with pytest.raises(NotAnImageError):
        asyncio.run(batcher.predict(slow.predictor, PredictRequest(b"words", instances=True)))
