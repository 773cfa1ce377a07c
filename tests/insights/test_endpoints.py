"""`/insights` and `/report` over HTTP on both databases, with the default package."""

import base64
import csv
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.evaluation.compare_models import compare_with_itself
from api.insights.augmentation import augmentation
from api.model.package import load_package
from api.settings import Settings
from tests.registry.versions import DEFAULT, SHIPPED
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

KIND = "rottenoranges"
SIDE = 1500


@pytest.fixture(scope="module")
def service(
    shipped_settings: Settings, shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The service on a catalog with three images of a new class."""
    state = tmp_path_factory.mktemp("state")
    own = shipped_settings.model_copy(
        update={"state_dir": state, "database_url": shared_database_url}
    )
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        files = [("files", (f"{k}.jpg", fruit(k))) for k in range(3)]
        sent = client.post("/upload-training-data", data={"class_name": "mango"}, files=files)
        assert sent.json()["uploaded_count"] == 3
        yield client


@cache
def fruit(seed: int) -> bytes:
    return encode(draw_fruit(KIND, seed, size=SIDE), "JPEG")


@pytest.mark.slow
def test_dataset_covers_package_and_catalog(service: TestClient) -> None:
    body = service.get("/insights/dataset").json()
    assert body["model_version"] == SHIPPED
    assert body["from_catalog"] == 3
    assert sum(row["examples"] for row in body["counts"]) == body["examples"] > 1000
    mango = [row for row in body["counts"] if row["class_name"] == "mango"]
    assert {row["origin"] for row in mango} == {"upload"}
    assert body["balance"]["smallest"] == "mango"
    appearance = {row["class_name"]: row for row in body["appearance"]["by_class"]}
    assert appearance["mango"]["examples"] == 3
    assert body["sizes"]["measured"] == body["appearance"]["measured"] >= 3
    assert body["copies"]["in_two_splits"] == 0
    # Larger than any image in the package, so in the largest bin.
    largest = max(body["sizes"]["sizes"], key=lambda size: size["width"])
    assert (largest["width"], largest["height"]) == (SIDE, SIDE)


def test_map_includes_new_images_and_has_a_limit(service: TestClient) -> None:
    def whole() -> dict[str, Any] | None:
        body: dict[str, Any] = service.get("/insights/map", params={"limit": 10_000}).json()
        return None if body["left_out"] else body

    # A request places as many as it has time for, but at least one.
    body = until(whole)
    assert len(body["points"]) == body["total"]
    own = [point for point in body["points"] if point["image_id"]]
    assert {point["class_name"] for point in own} == {"mango"}
    assert len({(point["x"], point["y"]) for point in own}) == 3
    few = service.get("/insights/map", params={"limit": 5}).json()
    assert len(few["points"]) == 5
    assert service.get("/insights/map", params={"limit": 0}).status_code == 422


def test_augmentation_shows_views_of_an_image(service: TestClient) -> None:
    image = service.get("/dataset/images").json()["images"][0]
    query = {"image_id": image["id"], "seed": 4}
    body = service.get("/insights/augmentation", params=query).json()
    assert (body["class_name"], len(body["views"])) == ("mango", 8)
    assert body == service.get("/insights/augmentation", params=query).json()
    other = service.get("/insights/augmentation", params={**query, "seed": 5}).json()
    assert other["views"] != body["views"]
    for view in (body["original"], *body["views"]):
        picture = Image.open(io.BytesIO(base64.b64decode(view["picture"].partition(",")[2])))
        assert picture.size == (160, 160)
        assert 0 <= view["freshness_score"] <= 1


def test_original_gets_the_same_grade_as_predict(service: TestClient) -> None:
    file = {"file": ("a.jpg", fruit(9))}
    shown = service.post("/insights/augmentation", files=file).json()["original"]
    graded = service.post("/predict", files=file).json()
    assert shown["predicted_class"] == graded["predicted_class"]
    assert shown["confidence"] == pytest.approx(graded["confidence"], abs=1e-4)
    assert shown["freshness_score"] == pytest.approx(graded["freshness_score"], abs=1e-4)


def test_sent_photos_are_augmented_one_at_a_time(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parallel, each would need its own memory and take time from grading."""
    running, overlaps = Lock(), 0

    def watched(*values: Any) -> Any:
        nonlocal overlaps
        alone = running.acquire(blocking=False)
        overlaps += not alone
        try:
            return augmentation(*values)
        finally:
            if alone:
                running.release()

    monkeypatch.setattr("api.http.endpoints.insights.augmentation", watched)

    def send(seed: int) -> int:
        file = {"file": ("a.jpg", fruit(seed))}
        return service.post("/insights/augmentation", files=file).status_code

    with ThreadPoolExecutor(4) as senders:
        assert list(senders.map(send, [1, 2] * 2)) == [200] * 4
    assert not overlaps


def test_bad_requests_are_rejected(service: TestClient) -> None:
    unknown = service.get("/insights/augmentation", params={"image_id": "0" * 32})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "image-not-found")
    nonsense = service.get("/insights/augmentation", params={"image_id": "../etc"})
    assert nonsense.status_code == 422
    text = service.post("/insights/augmentation", files={"file": ("a.jpg", b"words")})
    assert text.status_code == 415
    seed = service.post("/insights/augmentation?seed=-1", files={"file": ("a.jpg", fruit(1))})
    assert seed.status_code == 422
    for path in ("/report/none", "/report/none/mistakes", "/report/none/mistakes/export"):
        assert service.get(path).status_code == 404
    assert service.get(f"/report/{SHIPPED}/mistakes?limit=0").status_code == 422


def test_report_starts_with_unseen_sources(service: TestClient) -> None:
    body = service.get(f"/report/{SHIPPED}").json()
    names = [figure["name"] for figure in body["figures"]]
    assert names[:2] == ["sources", "source"]  # Unseen sources come first.
    assert "test" in names
    assert all(figure["split"] and figure["counts"] for figure in body["figures"])
    assert body["story"].endswith(".")


def test_mistakes_of_the_shipped_version_are_as_measured(service: TestClient) -> None:
    body = service.get(f"/report/{SHIPPED}/mistakes").json()
    comparison = compare_with_itself(load_package(DEFAULT))
    assert len(body["mistakes"]) == min(body["wrong"], 24)
    # Copies of a photo count once there; here each row counts.
    once = comparison.overall
    assert body["held_out"] >= once.photographs
    assert body["wrong"] >= once.photographs - once.candidate_right > 0
    assert body["wrong_with_photo"] == 0
    assert body["misses"]


def test_augmentation_of_a_damaged_file_says_what_to_do(service: TestClient) -> None:
    image = service.get("/dataset/images").json()["images"][0]
    blobs = service.app.state.service.blobs  # type: ignore[attr-defined]
    (key,) = [key for key in blobs.keys("photographs") if image["id"] in key]
    data = blobs.get(key)
    blobs.put(key, data[:200])
    answer = service.get("/insights/augmentation", params={"image_id": image["id"]})
    blobs.put(key, data)
    assert (answer.status_code, answer.json()["code"]) == (404, "image-damaged")


def test_mistakes_can_be_downloaded(service: TestClient) -> None:
    answer = service.get(f"/report/{SHIPPED}/mistakes/export")
    assert answer.headers["content-type"] == "application/zip"
    table = zipfile.ZipFile(io.BytesIO(answer.content)).read("mistakes.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == service.get(f"/report/{SHIPPED}/mistakes").json()["wrong"] > 0
