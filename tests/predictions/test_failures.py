"""Photos without a grade are counted by reason, including unusable model output."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from prometheus_client import REGISTRY

from api.core.errors import OverloadedError
from api.settings import Settings
from tests.catalog.photographs import photo as boxed_photo
from tests.catalog.test_box_upload import send, voc
from tests.inspections.crates import add, opened, serving
from tests.inspections.crates import photo as crate_photo
from tests.predictions.test_endpoints import assert_problem
from tests.synthetic_images import draw_fruit, encode

BLACK = encode(Image.new("RGB", (64, 64)), "PNG")
GOOD = encode(draw_fruit("freshapples"), "PNG")


@pytest.fixture(scope="module")
def grading(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with its own catalog, which finds the fruits in drawn crates."""
    own = settings.model_copy(update={"state_dir": tmp_path_factory.mktemp("failures")})
    with serving(own) as client:
        yield client


@pytest.fixture
def failing(grading: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A service whose model returns a NaN for a black photo."""
    predictor = grading.app.state.service.predictor  # type: ignore[attr-defined]
    backbone = predictor._backbone

    def with_nan(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps: NDArray[np.float32] = backbone(pixels).copy()
        maps[pixels.max(axis=(1, 2, 3)) == 0, 0, 0, 0] = np.nan
        return maps

    monkeypatch.setattr(predictor, "_backbone", with_nan)
    return grading


class Count:
    """How much a counter has risen."""

    def __init__(self, name: str, **labels: str) -> None:
        self._sample = (name, labels)
        self._before = self._now()

    def _now(self) -> float:
        return REGISTRY.get_sample_value(*self._sample) or 0

    @property
    def risen(self) -> float:
        return self._now() - self._before


def post(client: TestClient, *photos: bytes, path: str = "/predict/batch", **form: Any) -> Any:
    files = [("files", (f"{number}.png", data)) for number, data in enumerate(photos)]
    response = client.post(path, files=files, data=form)
    assert response.status_code == 200, response.text
    return response.json()


def test_model_without_a_usable_answer_says_so(failing: TestClient) -> None:
    count = Count("ripeline_not_finite_total")
    assert_problem(failing.post("/predict", files={"file": BLACK}), 503, "not-finite")
    assert failing.post("/predict", files={"file": GOOD}).status_code == 200
    assert count.risen == 1


def test_the_other_photos_of_the_batch_are_graded(failing: TestClient) -> None:
    count = Count("ripeline_not_finite_total")
    good, bad, again = post(failing, GOOD, BLACK, GOOD)["results"]
    assert bad["error"]["code"] == "not-finite"
    assert good["probabilities"] == again["probabilities"]
    assert count.risen == 1


def test_photo_of_an_inspection_without_a_usable_answer_is_not_added(failing: TestClient) -> None:
    count = Count("ripeline_not_finite_total")
    body = add(failing, opened(failing), crate_photo(1), BLACK)
    assert len(body["added"]) == 1
    assert [one["error"]["code"] for one in body["errors"]] == ["not-finite"]
    assert count.risen == 1


def test_refused_photos_are_counted_by_reason(grading: TestClient) -> None:
    no_image = Count("ripeline_photos_refused_total", reason="not-an-image")
    missing = Count("ripeline_photos_refused_total", reason="missing-file")
    assert_problem(grading.post("/predict", files={"file": b"words"}), 415, "not-an-image")
    assert_problem(grading.post("/predict", files={"other": GOOD}), 422, "missing-file")
    assert (no_image.risen, missing.risen) == (1, 1)
    grading.post("/predict", files={"file": b"words"}, params={"record": False})
    grading.post("/predict", files={"file": GOOD})
    assert (no_image.risen, missing.risen) == (1, 1)


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_bad_photos_of_a_batch_are_counted(grading: TestClient, accept: str) -> None:
    no_image = Count("ripeline_photos_refused_total", reason="not-an-image")
    truncated = Count("ripeline_photos_refused_total", reason="truncated-image")
    files = [("files", data) for data in (GOOD, b"words", GOOD[: len(GOOD) // 2], b"more words")]
    response = grading.post("/predict/batch", files=files, headers={"accept": accept})
    assert response.text.count('"code"') == 3
    assert (no_image.risen, truncated.risen) == (2, 1)


def test_bad_photos_of_an_inspection_are_counted(grading: TestClient) -> None:
    count = Count("ripeline_photos_refused_total", reason="not-an-image")
    assert len(add(grading, opened(grading), crate_photo(1), b"words")["errors"]) == 1
    assert count.risen == 1


@pytest.mark.parametrize("path", ["/upload-training-data", "/upload-boxed-photos"])
def test_bad_files_of_an_upload_are_counted(grading: TestClient, path: str) -> None:
    reason = "not-an-image" if path == "/upload-training-data" else "not-a-zip"
    count = Count("ripeline_photos_refused_total", reason=reason)
    errors = post(grading, b"words", b"more words", path=path, class_name="pears")["errors"]
    assert [error["code"] for error in errors] == [reason] * 2
    assert count.risen == 2
    broken = Count("ripeline_photos_refused_total", reason="broken-archive")
    response = grading.post(path, files={"files": b"PK\x03\x04 nonsense"})
    assert response.json()["code"] == "broken-archive"
    assert broken.risen == 1


def test_boxed_photos_that_are_taken_are_counted(grading: TestClient) -> None:
    stored = Count("ripeline_uploads_total", outcome="stored")
    known = Count("ripeline_uploads_total", outcome="duplicate")
    for _ in range(2):
        send(grading, {"a.xml": voc(), "a.jpg": boxed_photo(1)})
    assert (stored.risen, known.risen) == (1, 1)


def test_photos_that_met_a_busy_service_are_not_refused(
    grading: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = Count("ripeline_photos_refused_total", reason="overloaded")
    batcher = grading.app.state.service.batcher  # type: ignore[attr-defined]

    async def full(*_: object) -> None:
        raise OverloadedError

    monkeypatch.setattr(batcher, "predict", full)
    assert_problem(grading.post("/predict", files={"file": GOOD}), 503, "overloaded")
    assert count.risen == 0
