"""A store that fails while the service runs, and one that fails at startup."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.storage.blobs import Blobs
from tests.small_grader import VERSION as SMALL
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

# Each test starts an API and waits for its background tasks.
pytestmark = pytest.mark.slow


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path, "inference_threads": 1})


@contextmanager
def failing_store(own: Settings) -> Iterator[None]:
    """A file in place of the store's folder, so that nothing can be read or written."""
    folder, away = Path(own.storage), Path(f"{own.storage}.away")
    existed = folder.exists()
    if existed:
        folder.rename(away)
    folder.write_text("in the way")
    try:
        yield
    finally:
        folder.unlink()
        if existed:
            away.rename(folder)


@pytest.fixture
def client(own: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        yield client


def jpeg(seed: int = 0) -> bytes:
    return encode(draw_fruit("freshapples", seed), "JPEG")


def upload(client: TestClient, seed: int) -> Any:
    form = {"class_name": "freshapples"}
    return client.post("/upload-training-data", files={"files": jpeg(seed)}, data=form)


def predict(client: TestClient, seed: int) -> str:
    answer = client.post("/predict", files={"file": jpeg(seed)})
    assert answer.status_code == 200
    prediction_id: str = answer.json()["prediction_id"]
    return prediction_id


def image_ids(client: TestClient) -> list[str]:
    return [one["id"] for one in client.get("/dataset/images").json()["images"]]


def test_request_that_needs_the_store_says_so(client: TestClient, own: Settings) -> None:
    assert upload(client, 1).json()["uploaded_count"] == 1
    [image_id] = image_ids(client)
    prediction_id = predict(client, 2)
    until(lambda: client.get(f"/predictions/{prediction_id}/photograph").status_code == 200)
    assert client.get("/status").json()["storage_problem"] is None
    with failing_store(own):
        answers = {
            "upload": upload(client, 3),
            "photo": client.get(f"/dataset/images/{image_id}/photograph"),
            "prediction": client.get(f"/predictions/{prediction_id}/photograph"),
            "feedback": client.post(
                f"/predictions/{prediction_id}/feedback", json={"label": "pears"}
            ),
        }
        predict(client, 4)
        problem = client.get("/status").json()["storage_problem"]
        assert "STORAGE_URL" in problem
        assert own.storage not in problem
        assert client.get("/dataset/images").json()["total"] == 1
    found = {name: (one.status_code, one.json()["code"]) for name, one in answers.items()}
    assert found == dict.fromkeys(answers, (503, "storage-unavailable"))
    assert all(int(one.headers["retry-after"]) > 0 for one in answers.values())
    assert upload(client, 3).json()["uploaded_count"] == 1
    # The feedback failed as a whole, so it can be sent again.
    again = client.post(f"/predictions/{prediction_id}/feedback", json={"label": "pears"})
    assert again.json()["photograph"] == "stored"
    assert client.get("/status").json()["storage_problem"] is None


def test_removal_succeeds_once_the_row_is_gone(
    client: TestClient, own: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The photo is deleted by a later sweep."""
    for seed in (1, 2):
        upload(client, seed)
    first, second = image_ids(client)
    client.post("/dataset/images/remove", json={"ids": [second]}).raise_for_status()
    prediction_id = predict(client, 3)
    until(lambda: client.get(f"/predictions/{prediction_id}/photograph").is_success)
    boxes = {"boxes": [], "complete": True}
    boxed = client.put(f"/predictions/{prediction_id}/boxes", json=boxes).json()["id"]
    with failing_store(own):
        client.delete(f"/dataset/images/{first}").raise_for_status()
        assert client.get(f"/dataset/images/{first}").status_code == 404
        for_good = {"ids": [second], "for_good": True}
        client.post("/dataset/images/remove", json=for_good).raise_for_status()
        assert client.get("/dataset/removed").json()["total"] == 0
        client.delete(f"/dataset/boxed-photos/{boxed}").raise_for_status()
    assert caplog.text.count("Removed photos are deleted later") == 3


def test_service_starts_without_the_store(own: Settings) -> None:
    with failing_store(own):
        app = create_app(own)
        with TestClient(app, raise_server_exceptions=False) as client:
            answer = client.post("/predict", files={"file": jpeg()})
            assert answer.json()["model_version"] == SMALL
            assert "STORAGE_URL" in client.get("/status").json()["catalog_problem"]
            assert client.get("/models").json()["code"] == "catalog-unavailable"
            Path(own.storage).unlink()
            until(lambda: client.get("/models").status_code == 200)
            assert client.get("/status").json()["catalog_problem"] is None
            Path(own.storage).rename(own.state_dir / "stored")
            Path(own.storage).write_text("")  # For `failing_store` to remove.


def test_photos_without_a_catalog_are_found_once_the_store_is_back(own: Settings) -> None:
    """They must not be swept only because the store was down when a lost catalog was recreated."""
    Blobs(own.storage).put("photographs/ab/ab.jpg", b"a photo")
    app = create_app(own)
    with failing_store(own), TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/status").json()["catalog_problem"]
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        assert "The catalog is empty" in client.get("/status").json()["catalog_problem"]
