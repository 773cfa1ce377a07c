"""The batcher on a single core: which photos the event loop itself grades."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.model.batcher import DynamicBatcher
from api.model.predictor import MAX_BATCH, HeadOutput, Predictor, PredictRequest
from api.settings import Settings
from tests.model.slow_predictor import SlowPredictor
from tests.model.slow_predictor import pool as pool  # noqa: PLC0414 - a fixture
from tests.model.test_batcher_steps import INSTANCES, StepPredictor
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import PATIENCE_SECONDS as PATIENCE

SMALL = encode(draw_fruit("freshapples"), "JPEG")
LARGE = encode(Image.new("RGB", (4000, 3000)), "JPEG")


class ThreadRecorder(SlowPredictor):
    """Records the thread and the photos of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.resume.set()
        self.batches: list[tuple[int, list[bytes]]] = []

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[bytes | Exception]:
        before = len(self.graded)
        results = super().predict_batch(requests)
        self.batches.append((threading.get_ident(), self.graded[before:]))
        return results


def in_loop(pool: ThreadPoolExecutor, max_wait_seconds: float = PATIENCE) -> DynamicBatcher:
    return DynamicBatcher(pool, 1, 99, max_wait_seconds, in_loop=True)


def grade(batcher: DynamicBatcher, predictor: Any, *requests: PredictRequest) -> list[Any]:
    async def run() -> list[Any]:
        graded = (batcher.predict(cast(Predictor, predictor), one) for one in requests)
        return await asyncio.gather(*graded, return_exceptions=True)

    return asyncio.run(run())


def test_only_a_single_thread_can_grade_in_the_event_loop(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(ValueError, match="Only a single thread can grade in the event loop, not 2"):
        DynamicBatcher(pool, 2, 99, PATIENCE, in_loop=True)


def test_concurrent_small_photos_are_one_batch_in_the_event_loop(pool: ThreadPoolExecutor) -> None:
    recorder = ThreadRecorder()
    requests = [PredictRequest(SMALL)] * 4
    assert grade(in_loop(pool), recorder, *requests) == [SMALL] * 4
    assert recorder.batches == [(threading.get_ident(), [SMALL] * 4)]


def test_more_photos_than_a_batch_are_several(pool: ThreadPoolExecutor) -> None:
    recorder = ThreadRecorder()
    requests = [PredictRequest(SMALL + bytes([number])) for number in range(2 * MAX_BATCH + 1)]
    assert grade(in_loop(pool), recorder, *requests) == [one.data for one in requests]
    assert [len(batch) for _, batch in recorder.batches] == [MAX_BATCH, MAX_BATCH, 1]


@pytest.mark.parametrize(
    "request_of_a_thread",
    [PredictRequest(LARGE), PredictRequest(SMALL, explain=True), PredictRequest(b"no photo")],
    ids=["large", "heat map", "no photo"],
)
def test_event_loop_answers_while_other_photos_are_graded(
    pool: ThreadPoolExecutor, request_of_a_thread: PredictRequest
) -> None:
    slow = SlowPredictor()

    async def run() -> Any:
        predictor = cast(Predictor, slow)
        future = asyncio.ensure_future(in_loop(pool).predict(predictor, request_of_a_thread))
        await asyncio.to_thread(slow.started.wait, PATIENCE)
        slow.resume.set()  # Only a free event loop gets here.
        return await asyncio.wait_for(future, PATIENCE)

    assert asyncio.run(run()) == request_of_a_thread.data


def test_photos_of_both_kinds_get_their_own_results(pool: ThreadPoolExecutor) -> None:
    recorder = ThreadRecorder()
    kinds = [SMALL, LARGE, SMALL, SMALL, LARGE]
    assert grade(in_loop(pool), recorder, *map(PredictRequest, kinds)) == kinds
    loop = threading.get_ident()
    assert [(thread == loop, set(batch)) for thread, batch in recorder.batches] == [
        (True, {SMALL}),
        (False, {LARGE}),
        (True, {SMALL}),
        (False, {LARGE}),
    ]


def test_single_fruits_are_graded_in_the_thread_between_batches(pool: ThreadPoolExecutor) -> None:
    slow = StepPredictor(3)
    slow.resume.set()
    forward, threads = slow.predictor.forward, set()

    def recorded(inputs: Sequence[Image.Image]) -> list[HeadOutput]:
        threads.add(threading.get_ident())
        return forward(inputs)

    slow.predictor.forward = recorded  # type: ignore[method-assign]
    requests = [INSTANCES, PredictRequest(SMALL), INSTANCES]
    crate, plain, other = grade(in_loop(pool), slow.predictor, *requests)
    assert plain == SMALL
    assert [len(one.instances.fruits) for one in (crate, other)] == [3, 3]
    assert threads
    assert threading.get_ident() not in threads


def test_late_photo_is_not_graded(pool: ThreadPoolExecutor) -> None:
    recorder = ThreadRecorder()
    [refusal] = grade(in_loop(pool, -1), recorder, PredictRequest(SMALL))
    assert refusal.status == 503
    assert recorder.graded == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cores", "threads", "in_loop"), [(1, 1, True), (2, 1, False), (1, 2, False)]
)
def test_service_grades_in_the_loop_on_a_single_core(
    cores: int,
    threads: int,
    in_loop: bool,
    shipped_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.app.usable_cores", lambda: cores)
    names: list[str] = []
    forward = Predictor.forward

    def recorded(self: Predictor, inputs: Sequence[Image.Image]) -> list[HeadOutput]:
        names.append(threading.current_thread().name)
        return forward(self, inputs)

    monkeypatch.setattr(Predictor, "forward", recorded)
    settings = shipped_settings.model_copy(update={"inference_threads": threads})
    with TestClient(create_app(settings)) as client:
        names.clear()

        def predict(query: str) -> Any:
            return client.post(f"/predict{query}", files={"file": ("a.jpg", SMALL)})

        plain = [predict("").json()["probabilities"]]
        assert [name.startswith("inference") for name in names] == [not in_loop]
        with ThreadPoolExecutor(8) as users:
            asked = 4 * ["", "?explain=true", "", "?instances=true"]
            answers = list(users.map(predict, asked))
    assert {one.status_code for one in answers} == {200}
    plain += [one.json()["probabilities"] for one in answers]
    assert all(one == plain[0] for one in plain)
