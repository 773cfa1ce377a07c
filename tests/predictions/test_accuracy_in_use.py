"""Accuracy in use: measured on a random sample that people are asked about, and nothing else."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.predictions import dismissal
from api.predictions.accuracy_in_use import AccuracyInUse, accuracy_in_use
from api.predictions.recorder import Recorder
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.predictions import PredictionRow
from tests.monitoring.samples import add_answers
from tests.predictions.samples import a_prediction, a_record
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import PATIENCE_SECONDS


def in_use(database: Database, held_out: float | None = 0.95) -> AccuracyInUse:
    with database.reading() as session:
        return accuracy_in_use(session, "v1", held_out)


def test_only_sampled_and_asked_predictions_count(database: Database) -> None:
    add_answers(database, 28, 2)
    add_answers(database, 10, 90, sampled=False)
    add_answers(database, 0, 50, version="v2")
    for _ in range(3):
        a_prediction(database, sampled=True)
    found = in_use(database)
    assert (found.sampled, found.answered, found.correct) == (33, 30, 28)
    assert found.accuracy == pytest.approx(28 / 30)
    assert found.low < 28 / 30 < found.high
    assert not found.below_held_out


def test_dismissed_predictions_are_not_in_the_sample(database: Database) -> None:
    drawn = [a_prediction(database, sampled=True) for _ in range(3)]
    with database.session() as session:
        dismissal.dismiss(session, drawn[0].id)
    assert (in_use(database).sampled, in_use(database).answered) == (2, 0)


def test_significantly_lower_accuracy_is_reported(database: Database) -> None:
    add_answers(database, 80, 20)
    assert in_use(database).below_held_out
    assert not in_use(database, held_out=0.8).below_held_out
    assert not in_use(database, held_out=None).below_held_out


def test_no_answers_give_no_accuracy(database: Database) -> None:
    found = in_use(database)
    assert (found.answered, found.accuracy, found.below_held_out) == (0, None, False)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_service_draws_a_share_at_random(database: Database, blobs: Blobs, share: float) -> None:
    with Recorder(database, blobs, store_images=False, sampled_share=share) as recorder:
        for _ in range(400):
            recorder.put(a_record())
        assert recorder.flush(PATIENCE_SECONDS)
    with database.reading() as session:
        drawn = Counter(bool(value) for (value,) in session.query(PredictionRow.sampled))
    # For a share of one half, the probability to exceed this is less than 1 in a million.
    assert abs(drawn[True] - share * 400) <= 50 * (share == 0.5)


def test_answers_over_http(settings: Settings, tmp_path: Path) -> None:
    """Unasked feedback does not change the accuracy; an answer in the review queue does."""
    own = settings.model_copy(update={"state_dir": tmp_path, "sampled_share": 1})
    with TestClient(create_app(own)) as client:
        files = {"file": ("a.jpg", encode(draw_fruit("freshapples", 1), "JPEG"))}
        graded = client.post("/predict", files=files).json()
        path = f"/predictions/{graded['prediction_id']}/feedback"
        assert client.post(path, json={"label": "star fruit"}).status_code == 200

        def figure() -> dict[str, Any]:
            [version] = client.get("/monitoring/accuracy").json()["versions"]
            return dict(version)

        assert (figure()["sampled"], figure()["answered"]) == (1, 0)
        [item] = client.get("/review-queue").json()["items"]
        assert item["reason"] == "sampled"
        label = {"prediction_id": item["prediction_id"], "label": item["suggested_label"]}
        assert client.post("/review-queue", json={"items": [label]}).json()["confirmed_count"] == 1
        assert (figure()["answered"], figure()["correct"]) == (1, 1)
        assert figure()["held_out"] == pytest.approx(figure()["held_out"])
        assert client.get("/review-queue").json()["items"] == []
