"""The photos that wait for a shadow version: how many, how large, which, and for how long."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from api.app import create_app
from api.core.freshness_levels import LevelThresholds
from api.model.grade import Grade
from api.model.package import load_package
from api.model.predictor import Predictor
from api.predictions.schemas import Prediction
from api.registry import shadow
from api.registry.shadow import MAX_QUEUE, ShadowLane
from api.settings import Settings
from api.storage.tables.shadows import ShadowRow
from tests.registry.test_trial import CANDIDATE, photos
from tests.registry.versions import a_servable_package
from tests.small_grader import VERSION as SMALL
from tests.waiting import PATIENCE_SECONDS, until

OTHER = "other"
Lane = Callable[..., ShadowLane]


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path / "state"})


def dropped() -> float:
    return REGISTRY.get_sample_value("ripeline_shadow_dropped_total") or 0.0


@pytest.fixture
def held(own: Settings, tmp_path: Path) -> Iterator[tuple[Event, Lane]]:
    """A shadow lane whose only thread waits for the event, and a prediction to offer to it."""
    predictor = Predictor.of_package(load_package(a_servable_package(tmp_path, CANDIDATE)))
    event, data = Event(), photos(1)[0][1][1]
    with TestClient(create_app(own)) as client, ThreadPoolExecutor(1) as pool:
        prediction = Prediction.model_validate(
            client.post("/predict", files={"file": photos(1)[0][1]}).json()
        )
        pool.submit(event.wait)
        state = replace(client.app.state.service, pool=pool)  # type: ignore[attr-defined]

        def offered(share: float, times: int, version: str = SMALL) -> ShadowLane:
            row = ShadowRow(version=CANDIDATE, beside=SMALL, share=share, photos=1000)
            row.same = row.different = row.failed = 0
            lane = ShadowLane(state, row, predictor)
            sent = prediction.model_copy(update={"model_version": version})
            for _ in range(times):
                asyncio.run(lane.offer(data, sent))
            return lane

        yield event, offered
        event.set()


def test_the_queue_is_bounded(held: tuple[Event, Lane]) -> None:
    """Photos that do not fit into the queue are dropped and counted."""
    event, offered = held
    before = dropped()
    lane = offered(1, MAX_QUEUE + 5)
    assert dropped() - before == 5
    event.set()
    until(lambda: len(lane._results) == MAX_QUEUE)


def test_its_memory_is_bounded(held: tuple[Event, Lane], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "MAX_QUEUE_BYTES", 3 * len(photos(1)[0][1][1]))
    _, offered = held
    assert len(offered(1, 9)._queue) == 3


def test_the_share_is_drawn(held: tuple[Event, Lane]) -> None:
    """With a share of one half, fewer than 3 or more than 27 of 30 are taken once in a million."""
    _, offered = held
    assert 3 <= len(offered(0.5, 30)._queue) <= 27


def test_predictions_of_another_version_are_left_out(held: tuple[Event, Lane]) -> None:
    _, offered = held
    assert not offered(1, 5, OTHER)._queue


def test_it_follows_the_thresholds_and_the_photos_that_are_left(
    held: tuple[Event, Lane], own: Settings
) -> None:
    _, offered = held
    lane = offered(1, 2)
    thresholds = {"apple": LevelThresholds(0.1, 0.2)}
    lane._state.fruit_thresholds = {CANDIDATE: thresholds}
    lane.update(own, 0)
    assert lane._predictor
    assert lane._predictor.fruit_thresholds == thresholds
    assert lane._left <= 0


def test_photo_that_waits_for_a_thread_is_counted_once(
    held: tuple[Event, Lane], own: Settings
) -> None:
    _, offered = held
    lane = offered(1, 1)
    lane.update(own, 2)
    assert lane._left == 1


def test_photo_that_is_being_graded_is_counted_once(
    held: tuple[Event, Lane], own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, offered = held
    lane = offered(1, 1)
    grading, ready = Event(), Event()
    predict = lane._predictor.predict  # type: ignore[union-attr]

    def slow(data: bytes) -> Grade:
        grading.set()
        ready.wait(PATIENCE_SECONDS)
        return predict(data)

    monkeypatch.setattr(lane._predictor, "predict", slow)
    event.set()
    assert grading.wait(PATIENCE_SECONDS)
    lane.update(own, 2)
    left = lane._left
    ready.set()
    assert left == 1
    until(lambda: lane._results)
    lane.update(own, 2)
    assert lane._left == 1


def test_closed_lane_has_no_model_and_accepts_nothing(held: tuple[Event, Lane]) -> None:
    event, offered = held
    lane = offered(1, 3)
    lane.close()
    assert lane._predictor is None
    event.set()
    until(lambda: not lane._is_submitted)
    assert not lane._results
