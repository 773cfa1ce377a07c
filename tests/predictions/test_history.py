"""`/predictions` through the whole service."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.predictions import history
from api.predictions.history import (
    MAX_WAITING,
    NotRecordedYetError,
    PredictionNotFoundError,
    find_recorded,
)
from api.settings import Settings
from tests.heads import shipped_thresholds
from tests.synthetic_images import draw_fruit, encode

# Of anyio, in which endpoints run.
THREADS = 40


@pytest.fixture(scope="module")
def own(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A service with six recorded predictions."""
    state: Path = tmp_path_factory.mktemp("history")
    with TestClient(create_app(shipped_settings.model_copy(update={"state_dir": state}))) as client:
        for seed in range(3):
            for kind in ("freshapples", "freshbanana"):
                data = encode(draw_fruit(kind, seed, size=300), "JPEG")
                client.post("/predict", files={"file": (f"{kind}-{seed}.jpg", data)})
        yield client


def listed(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    response = client.get("/predictions", params=query)
    assert response.status_code == 200, response.text
    body: list[dict[str, Any]] = response.json()["predictions"]
    return body


def test_predictions_are_listed_newest_first(own: TestClient) -> None:
    predictions = listed(own)
    assert len(predictions) == own.get("/predictions").json()["total"] == 6
    assert predictions[0]["filename"] == "freshbanana-2.jpg"
    times = [prediction["timestamp"] for prediction in predictions]
    assert times == sorted(times, reverse=True)
    assert listed(own, offset=2, limit=2) == predictions[2:4]
    scores = [(one["freshness_score"], one["freshness_level"]) for one in predictions]
    thresholds = shipped_thresholds()
    assert all(level == thresholds.level(score) for score, level in scores)


def test_predictions_are_filtered(own: TestClient) -> None:
    predictions = listed(own)
    bananas = [p for p in predictions if p["predicted_class"] == "freshbanana"]
    assert bananas
    assert listed(own, class_name="freshbanana") == bananas
    middle = sorted(p["confidence"] for p in predictions)[3]
    assert listed(own, below=middle) == [p for p in predictions if p["confidence"] < middle]
    assert listed(own, recognised=True) == [p for p in predictions if p["recognised"]]
    assert listed(own, model_version="another") == []


@pytest.mark.parametrize("query", ["class_name=%00", "below=2", "limit=0", "limit=100000"])
def test_invalid_filter_is_rejected(own: TestClient, query: str) -> None:
    assert own.get(f"/predictions?{query}").status_code == 422


def test_prediction_is_found_immediately(own: TestClient) -> None:
    data = encode(draw_fruit("freshoranges"), "JPEG")
    graded = own.post("/predict", content=data, headers={"content-type": "image/jpeg"}).json()
    recorded = own.get(f"/predictions/{graded['prediction_id']}").json()
    assert recorded["probabilities"] == graded["probabilities"]
    assert recorded["timestamp"] == graded["timestamp"]
    assert recorded["label"] is None
    assert recorded["photograph_kept"]


@pytest.mark.parametrize("prediction_id", ["0" * 32, "nonsense", "%00"])
def test_unknown_prediction_gets_404(own: TestClient, prediction_id: str) -> None:
    for path in ("", "/photograph"):
        response = own.get(f"/predictions/{prediction_id}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "prediction-not-found")


def test_stored_image_is_served_as_a_thumbnail(own: TestClient) -> None:
    prediction_id = listed(own)[0]["prediction_id"]
    response = own.get(f"/predictions/{prediction_id}/photograph?size=64")
    assert response.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(response.content)).size) == 64


def test_image_that_is_not_stored_gets_404(settings: Settings, tmp_path: Path) -> None:
    changed = {"state_dir": tmp_path, "keep_predicted_days": 0}
    with TestClient(create_app(settings.model_copy(update=changed))) as client:
        data = encode(draw_fruit("freshapples"), "JPEG")
        graded = client.post("/predict", files={"file": data}).json()
        recorded = client.get(f"/predictions/{graded['prediction_id']}").json()
        response = client.get(f"/predictions/{graded['prediction_id']}/photograph")
    assert not recorded["photograph_kept"]
    assert (response.status_code, response.json()["code"]) == (404, "photograph-gone")
    assert not list((tmp_path / "blobs").glob("predicted/**/*.*"))


@pytest.mark.slow
def test_waiting_for_another_process_takes_no_thread(own: TestClient) -> None:
    """More requests than there are threads wait, and others are answered meanwhile."""
    many = 2 * THREADS
    with ThreadPoolExecutor(many) as pool:
        waiting = [pool.submit(own.get, f"/predictions/{uuid4().hex}") for _ in range(many)]
        assert own.get("/status").status_code == 200
        assert not all(future.done() for future in waiting)
        assert {future.result().status_code for future in waiting} == {404}


@pytest.mark.parametrize(
    "prediction_id", ["0" * 32, "f" * 32, "4f1d", "6dfe4f1a52c218888888888888888888"]
)
def test_nobody_waits_for_an_id_that_cannot_exist(
    own: TestClient, monkeypatch: pytest.MonkeyPatch, prediction_id: str
) -> None:
    monkeypatch.setattr(history, "_exists", None)
    assert own.get(f"/predictions/{prediction_id}").status_code == 404


def test_few_threads_wait_for_what_another_process_may_write(own: TestClient) -> None:
    """Where a thread does wait."""
    state = cast(FastAPI, own.app).state.service
    with ExitStack() as taken:
        for _ in range(MAX_WAITING):
            taken.enter_context(history.WAITING)
        with pytest.raises(NotRecordedYetError):
            find_recorded(state.database, state.recorder, uuid4().hex)
        with pytest.raises(PredictionNotFoundError):
            find_recorded(state.database, state.recorder, uuid4().hex, timeout=0)
        newest = listed(own)[0]["prediction_id"]
        assert find_recorded(state.database, state.recorder, newest)
