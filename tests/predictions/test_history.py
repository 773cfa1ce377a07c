"""`/predictions` through the whole service."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.predictions import history
from api.predictions.history import MAX_WAITING
from api.settings import Settings
from tests.heads import shipped_thresholds
from tests.synthetic_images import draw_fruit, encode


@pytest.fixture(scope="module")
def own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with six recorded predictions."""
    state: Path = tmp_path_factory.mktemp("history")
    with TestClient(create_app(settings.model_copy(update={"state_dir": state}))) as client:
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


def test_few_requests_wait_for_what_another_process_may_write(own: TestClient) -> None:
    """Each takes a thread. None waits for an id that nobody can have given."""
    assert own.get(f"/predictions/{uuid4().hex}").status_code == 404
    with ExitStack() as taken:
        for _ in range(MAX_WAITING):
            taken.enter_context(history.WAITING)
        waiting = own.get(f"/predictions/{uuid4().hex}")
        assert (waiting.status_code, waiting.json()["code"]) == (503, "not-recorded-yet")
        assert int(waiting.headers["retry-after"]) > 0
        for impossible in ("0" * 32, "f" * 32, uuid4().hex[:12] + "1" + uuid4().hex[13:]):
            assert own.get(f"/predictions/{impossible}").status_code == 404
        newest = listed(own)[0]["prediction_id"]
        assert own.get(f"/predictions/{newest}").status_code == 200
