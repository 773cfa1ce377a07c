"""A request that is sent again with its Idempotency-Key is recorded once."""

from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from tests.predictions.test_history import listed
from tests.predictions.test_history import own as own  # noqa: PLC0414 - a fixture
from tests.synthetic_images import draw_fruit, encode


def test_batch_that_is_sent_again_is_recorded_once(own: TestClient) -> None:
    """As an app does whose connection broke: the first time, the response may be cut off."""
    batch_id, key = uuid4().hex, {"Idempotency-Key": "crate 7"}
    photos = [encode(draw_fruit("freshoranges", seed, size=300), "JPEG") for seed in range(2)]
    files = [("files", (f"{n}.jpg", photos[n % 2])) for n in range(3)]

    def send(sent: list[Any], headers: dict[str, str]) -> list[str]:
        query = {"batch_id": batch_id}
        answer = own.post("/predict/batch", files=sent, params=query, headers=headers).json()
        return [result["prediction_id"] for result in answer["results"]]

    ids = send(files, key)
    assert len(set(ids)) == 3  # A photo may be in a batch twice.
    assert send(files, key) == ids
    assert {one["prediction_id"] for one in listed(own, batch_id=batch_id)} == set(ids)
    assert set(send(files[1:], key)).isdisjoint(ids)  # Other photos are never taken for these.
    assert set(send(files, {})).isdisjoint(ids)
    assert own.post("/predict/batch", files=files, headers={"Idempotency-Key": "x" * 256}
                    ).status_code == 422  # fmt: skip


def test_photo_that_is_sent_again_is_recorded_once(own: TestClient) -> None:
    def send(seed: int) -> str:
        data = encode(draw_fruit("freshoranges", seed, size=300), "JPEG")
        headers = {"Idempotency-Key": "a photo"}
        answer = own.post("/predict", files={"file": ("again.jpg", data)}, headers=headers)
        return str(answer.json()["prediction_id"])

    names = [send(1), send(1), send(2)]
    assert names[0] == names[1] != names[2]
    kept = [one["prediction_id"] for one in listed(own, search="again.jpg")]
    assert sorted(kept) == sorted(set(names))


def test_photo_that_was_sent_with_a_key_is_found_and_explained(own: TestClient) -> None:
    data = encode(draw_fruit("freshoranges", 4, size=300), "JPEG")
    key = {"Idempotency-Key": "one that is opened"}
    sent = {"file": ("opened.jpg", data)}
    prediction_id = own.post("/predict", files=sent, headers=key).json()["prediction_id"]
    query = {"explain": True, "prediction_id": prediction_id}
    explained = own.post("/predict", files=sent, params=query)
    assert explained.json()["prediction_id"] == prediction_id
    for response in (
        own.get(f"/predictions/{prediction_id}/photograph"),
        own.post(f"/predictions/{prediction_id}/feedback", json={"correct": True}),
    ):
        assert response.status_code == 200, response.text
