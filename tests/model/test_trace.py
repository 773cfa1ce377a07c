"""The trace of the grading steps agrees with the grade that it explains."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.core.freshness_levels import LevelThresholds
from api.model.package import load_package
from api.model.predictor import Predictor
from api.model.trace import trace_steps
from api.settings import PROJECT
from tests.heads import make_head, make_ood
from tests.model.test_predictor import BLUE, CHANNELS, RED, WEIGHTS, make_predictor, png
from tests.synthetic_images import draw_fruit, encode

PHOTO = encode(draw_fruit("rottenapples", 3).resize((900, 600)), "JPEG")
MEANS = np.array([RED, BLUE]) / np.sqrt(3)


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.of_package(load_package(PROJECT / "models" / "default"))


def test_the_steps_lead_to_the_grade(shipped: Predictor) -> None:
    predictor = shipped.with_thresholds(LevelThresholds(0.2, 0.9))
    traced, grade = trace_steps(predictor, PHOTO), predictor.predict(PHOTO)
    assert traced.level.probabilities == pytest.approx(grade.probabilities, abs=1e-6)
    assert traced.level.level == grade.freshness_level
    assert traced.level.freshness_score == pytest.approx(grade.freshness_score, abs=1e-6)
    used, own = traced.level.in_use, predictor.own_thresholds
    assert used
    assert (used.rotten_below, used.fresh_from) == (0.2, 0.9)
    assert own
    assert traced.level.of_the_model
    assert traced.level.of_the_model.rotten_below == own.rotten_below
    assert traced.rejection.recognised == grade.recognised
    assert traced.engine == predictor.engine
    assert (traced.photo.width, traced.photo.height) == (900, 600)
    assert min(vars(traced.milliseconds).values()) > 0


def test_the_two_heads_make_the_classes(shipped: Predictor) -> None:
    traced = trace_steps(shipped, PHOTO)
    fruit, freshness = traced.fruit, traced.freshness
    assert freshness
    assert sum(fruit.probabilities.values()) == pytest.approx(1, abs=1e-5)
    scaled = np.array(list(fruit.logits.values())) / fruit.temperature
    expected = np.exp(scaled) / np.exp(scaled).sum()
    assert list(fruit.probabilities.values()) == pytest.approx(expected.tolist(), rel=1e-4)
    assert freshness.score == pytest.approx(1 / (1 + np.exp(-freshness.logit)), abs=1e-6)
    assert sum(freshness.levels.values()) == pytest.approx(1, abs=1e-6)
    rotten = fruit.probabilities["apple"] * freshness.levels["rotten"]
    assert traced.level.probabilities["rottenapples"] == pytest.approx(rotten, abs=1e-6)


@pytest.mark.parametrize(("colour", "recognised"), [("red", True), ("lime", False)])
def test_rejection_score_is_broken_down(colour: str, recognised: bool) -> None:
    predictor = make_predictor(make_head(WEIGHTS, ood=make_ood(CHANNELS, MEANS, distance=0.5)))
    traced = trace_steps(predictor, png(colour)).rejection
    assert traced.recognised is recognised
    nearest = min(traced.distances.values())
    assert traced.score == pytest.approx(traced.none_logit + traced.distance_weight * nearest)
    assert traced.limit is not None
    assert (traced.score <= traced.limit) is recognised
    if recognised:
        assert min(traced.distances, key=lambda name: traced.distances[name]) == "freshapples"


def test_a_head_that_rejects_nothing_has_no_limit() -> None:
    head = make_head(WEIGHTS)
    lenient = replace(head, ood=replace(head.ood, threshold=float("inf")))
    traced = trace_steps(make_predictor(lenient), png("red"))
    assert traced.rejection.limit is None
    assert traced.freshness is None
    assert traced.engine is None


def answer(client: TestClient, explain: str) -> dict[str, Any]:
    sent = client.post(f"/predict?explain={explain}&record=false", files={"file": PHOTO})
    assert sent.status_code == 200, sent.text
    body: dict[str, Any] = sent.json()
    return body


def test_full_adds_the_steps_to_the_heat_map(client: TestClient) -> None:
    plain, full = answer(client, "true"), answer(client, "full")
    assert set(plain) == set(full)
    assert set(plain["explanation"]) == {"heatmap"}
    trace = full["explanation"].pop("trace")
    assert full["explanation"] == plain["explanation"]
    assert trace["level"]["probabilities"] == pytest.approx(full["probabilities"], abs=1e-6)
    assert trace["engine"]["name"] in ("litert", "openvino")
    assert "explanation" not in answer(client, "false")


def test_full_explains_an_earlier_prediction(client: TestClient) -> None:
    earlier = client.post("/predict", files={"file": PHOTO}).json()["prediction_id"]
    sent = client.post(f"/predict?explain=full&prediction_id={earlier}", files={"file": PHOTO})
    assert sent.json()["prediction_id"] == earlier
    assert sent.json()["explanation"]["trace"]
