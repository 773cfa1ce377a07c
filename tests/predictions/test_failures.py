"""Photos that get no grade are counted: by reason, and where the model gave no usable answer."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from prometheus_client import REGISTRY

from api.settings import Settings
from tests.inspections.crates import add, opened, serving
from tests.inspections.crates import photo as crate_photo
from tests.predictions.test_endpoints import assert_problem
from tests.synthetic_images import draw_fruit, encode

BLACK = encode(Image.new("RGB", (64, 64)), "PNG")
GOOD = encode(draw_fruit("freshapples"), "PNG")


@pytest.fixture(scope="module")
def grading(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with a catalog of its own, which finds the fruits of drawn crates."""
    own = settings.model_copy(update={"state_dir": tmp_path_factory.mktemp("failures")})
    with serving(own) as client:
        yield client


@pytest.fixture
def failing(grading: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Its model gives one NaN for a black photo."""
    predictor = grading.app.state.service.predictor  # type: ignore[attr-defined]
    backbone = predictor._backbone

    def with_nan(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps: NDArray[np.float32] = backbone(pixels).copy()
        maps[pixels.max(axis=(1, 2, 3)) == 0, 0, 0, 0] = np.nan
        return maps

    monkeypatch.setattr(predictor, "_backbone", with_nan)
    return grading


class Count:
    """How far a counter has risen."""

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
