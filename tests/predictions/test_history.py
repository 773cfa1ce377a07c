"""`/predictions` through the whole service."""

import asyncio
import io
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
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
    wait_until_recorded,
)
from api.settings import Settings
from tests.heads import shipped_thresholds
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

# Size of anyio's thread pool, in which endpoints run.
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


def cursor(*values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        *("class_name=%00", "below=2", "at_least=-1", "limit=0", "limit=100000", "level=ripe"),
        *(
            "order=random",
            "since=yesterday",
            "until=0.5",
            "since=1700000000",
            "since=2026-01-01T00:00:00",
        ),
        *("batch_id=7", "inspection_id=x", "search=%00", "dismissed=perhaps"),
    ],
)
def test_invalid_filter_is_rejected(own: TestClient, query: str) -> None:
    assert own.get(f"/predictions?{query}").status_code == 422


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_any_date_may_be_asked_for(own: TestClient, moment: str) -> None:
    for name in ("since", "until"):
        assert own.get(f"/predictions?{name}={moment}").status_code == 200


@pytest.mark.parametrize(
    "after",
    [
        *("x", "é", "[]", "bnVsbA", "%00", "A" * 79),
        cursor("oldest", "2026-01-01T00:00:00+00:00", "0" * 32),
        cursor("newest", "2026-01-01T00:00:00+00:00", "\x00"),
        cursor("newest", "0001-01-01T00:00:00+14:00", "0" * 32),
        cursor("newest", "never", "0" * 32),
        cursor("least_sure", 1, "half", "0" * 32),
    ],
)
def test_invalid_cursor_is_rejected(own: TestClient, after: str) -> None:
    response = own.get("/predictions", params={"after": after})
    assert response.status_code == 422
    assert response.json()["code"] in ("bad-cursor", "invalid-request")


def test_cursor_and_offset_exclude_each_other(own: TestClient) -> None:
    after = own.get("/predictions?limit=1").json()["next"]
    response = own.get("/predictions", params={"after": after, "offset": 1})
    assert (response.status_code, response.json()["code"]) == (422, "after-and-offset")
    assert own.get("/predictions", params={"after": after, "offset": 0}).status_code == 200


@pytest.mark.parametrize("order", ["newest", "oldest", "least_sure"])
def test_pages_together_are_the_whole_list(own: TestClient, order: str) -> None:
    whole = listed(own, order=order)
    after, paged = None, []
    for _ in range(len(whole)):
        query: dict[str, Any] = {"order": order, "limit": 2} | ({"after": after} if after else {})
        body = own.get("/predictions", params=query).json()
        assert body["total"] == len(whole)
        paged += body["predictions"]
        if (after := body["next"]) is None:
            break
    assert paged == whole


def test_batch_is_listed_again_as_it_was_sent(own: TestClient) -> None:
    def send(*names: str, **query: str) -> str:
        data = encode(draw_fruit("freshoranges", size=300), "JPEG")
        files = [("files", (name, data)) for name in names]
        answer = own.post("/predict/batch", files=files, params=query).json()
        batch_id: str = answer["summary"]["batch_id"]
        return batch_id

    batch_id = uuid4().hex
    assert send("1.jpg", "2.jpg", batch_id=batch_id) == batch_id
    assert send("3.jpg", batch_id=batch_id) == batch_id
    other = send("4.jpg")
    kept = listed(own, batch_id=batch_id, order="oldest")
    assert [one["filename"] for one in kept] == ["1.jpg", "2.jpg", "3.jpg"]
    assert {one["batch_id"] for one in kept} == {batch_id}
    assert [one["filename"] for one in listed(own, batch_id=other)] == ["4.jpg"]
    assert own.post("/predict/batch?batch_id=7", files={"files": b"x"}).status_code == 422


def test_dismissal_is_undone(own: TestClient) -> None:
    before = own.get("/review-queue").json()["items"]
    first = before[0]["prediction_id"]
    url = f"/predictions/{first}/dismissal"
    assert own.put(url).status_code == 204
    at = own.get(f"/predictions/{first}").json()["dismissed_at"]
    assert at
    assert own.put(url).status_code == 204
    assert own.get(f"/predictions/{first}").json()["dismissed_at"] == at
    assert [one["prediction_id"] for one in listed(own, dismissed=True)] == [first]
    assert first not in [one["prediction_id"] for one in listed(own, dismissed=False)]
    assert first not in [i["prediction_id"] for i in own.get("/review-queue").json()["items"]]
    assert own.delete(url).status_code == 204
    assert own.delete(url).status_code == 204
    assert own.get("/review-queue").json()["items"] == before
    assert own.put(f"/predictions/{'0' * 32}/dismissal").status_code == 404


def test_feedback_and_dismissal_exclude_each_other(own: TestClient) -> None:
    data = encode(draw_fruit("freshapples", 9), "JPEG")
    graded = own.post("/predict", content=data, headers={"content-type": "image/jpeg"}).json()
    url = f"/predictions/{graded['prediction_id']}"
    assert own.put(f"{url}/dismissal").status_code == 204
    assert own.post(f"{url}/feedback", json={"label": "pears"}).status_code == 200
    recorded = own.get(url).json()
    assert (recorded["dismissed_at"], recorded["label"]) == (None, "pears")
    response = own.put(f"{url}/dismissal")
    assert (response.status_code, response.json()["code"]) == (409, "has-feedback")
    assert own.get(url).json()["dismissed_at"] is None


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
def test_waiting_for_another_process_occupies_no_thread(
    own: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While more requests wait than there are threads, others are still answered."""
    many, waiting_now, go_on = 2 * THREADS, set[int](), asyncio.Event()

    async def wait(_seconds: float) -> None:
        waiting_now.add(id(asyncio.current_task()))
        await go_on.wait()

    monkeypatch.setattr(history, "asyncio", SimpleNamespace(sleep=wait))
    assert own.portal is not None
    with ThreadPoolExecutor(many) as pool:
        waiting = [pool.submit(own.get, f"/predictions/{uuid4().hex}") for _ in range(many)]
        try:
            until(lambda: len(waiting_now) == many)
            assert own.get("/status").status_code == 200
        finally:
            own.portal.call(go_on.set)
        assert {future.result().status_code for future in waiting} == {404}


def test_waiting_for_this_process_occupies_no_thread(
    own: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = listed(own)[0]["prediction_id"]
    state = cast(FastAPI, own.app).state.service
    pending = iter([True, True, False, False])
    monkeypatch.setattr(state.recorder, "is_pending", lambda _: next(pending))
    monkeypatch.setattr(state.recorder, "flush", None)
    asyncio.run(wait_until_recorded(state.database, state.recorder, newest))
    assert next(pending, None) is None


@pytest.mark.parametrize(
    "prediction_id", ["0" * 32, "f" * 32, "4f1d", "6dfe4f1a52c218888888888888888888"]
)
def test_nobody_waits_for_an_id_that_cannot_exist(
    own: TestClient, monkeypatch: pytest.MonkeyPatch, prediction_id: str
) -> None:
    monkeypatch.setattr(history, "_exists", None)
    assert own.get(f"/predictions/{prediction_id}").status_code == 404


def test_few_threads_wait_for_what_another_process_may_write(own: TestClient) -> None:
    """Only few calls occupy a thread while they wait."""
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
