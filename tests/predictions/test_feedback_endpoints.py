"""Feedback and the review queue through the whole service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.synthetic_images import draw_fruit, encode


@pytest.fixture(scope="module")
def own(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    state: Path = tmp_path_factory.mktemp("feedback")
    with TestClient(create_app(shipped_settings.model_copy(update={"state_dir": state}))) as client:
        yield client


def graded(client: TestClient, seed: int) -> dict[str, Any]:
    data = encode(draw_fruit("freshapples", seed), "JPEG")
    response: dict[str, Any] = client.post("/predict", files={"file": (f"{seed}.jpg", data)}).json()
    return response


def test_correction_becomes_a_training_image(own: TestClient) -> None:
    prediction_id = graded(own, 1)["prediction_id"]
    response = own.post(f"/predictions/{prediction_id}/feedback", json={"label": "Star Fruit"})
    assert response.status_code == 200
    body = response.json()
    assert (body["label"], body["correct"], body["photograph"]) == (
        "star_fruit",
        False,
        "stored",
    )
    image = own.get(f"/dataset/images/{body['image_id']}").json()
    assert (image["class_name"], image["origin"]) == ("star_fruit", "feedback")
    assert image["filename"] == "1.jpg"
    assert own.get(f"/predictions/{prediction_id}").json()["label"] == "star_fruit"
    assert own.get("/feedback/summary").json()["by_class"]["star_fruit"]["accuracy"] == 0


@pytest.mark.parametrize("body", [{}, {"correct": False}, {"label": "pears", "correct": True}])
def test_unclear_feedback_is_rejected(own: TestClient, body: dict[str, Any]) -> None:
    prediction_id = graded(own, 2)["prediction_id"]
    response = own.post(f"/predictions/{prediction_id}/feedback", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "unclear-feedback")


@pytest.mark.parametrize("body", [{"label": ""}, {"label": "///"}, {"label": 3}, [], "x"])
def test_invalid_label_gets_422(own: TestClient, body: Any) -> None:
    prediction_id = graded(own, 2)["prediction_id"]
    assert own.post(f"/predictions/{prediction_id}/feedback", json=body).status_code == 422


def test_unknown_prediction_gets_404(own: TestClient) -> None:
    for prediction_id in ("0" * 32, "x"):
        response = own.post(f"/predictions/{prediction_id}/feedback", json={"correct": True})
        assert (response.status_code, response.json()["code"]) == (404, "prediction-not-found")


def test_labelled_predictions_leave_the_review_queue(own: TestClient) -> None:
    for seed in range(10, 14):
        graded(own, seed)
    own.get("/predictions")  # Flushes the recorder.
    items = own.get("/review-queue", params={"limit": 3}).json()["items"]
    assert len(items) == 3
    first = items[0]
    assert first["suggested_label"] == first["predicted_class"]
    assert first["reason"] in ("unrecognised", "unsure")
    assert own.get(first["photograph_url"]).headers["content-type"] == "image/jpeg"

    labels = [
        {"prediction_id": first["prediction_id"], "label": first["suggested_label"]},
        {"prediction_id": "0" * 32, "label": "pears"},
        {"prediction_id": items[1]["prediction_id"], "label": "…"},
        {"prediction_id": items[2]["prediction_id"], "label": "pears"},
    ]
    body = own.post("/review-queue", json={"items": labels}).json()
    assert body["confirmed_count"] == len(body["confirmed"]) == 2
    assert [error["code"] for error in body["errors"]] == ["prediction-not-found", "bad-class-name"]
    remaining = {item["prediction_id"] for item in own.get("/review-queue").json()["items"]}
    assert not remaining & {first["prediction_id"], items[2]["prediction_id"]}
    assert items[1]["prediction_id"] in remaining
    image = own.get(f"/dataset/images/{body['confirmed'][1]['image_id']}").json()
    assert image["origin"] == "review"


@pytest.mark.parametrize("path", ["/review-queue?limit=0", "/feedback/summary?days=nan"])
def test_invalid_query_is_rejected(own: TestClient, path: str) -> None:
    assert own.get(path).status_code == 422
