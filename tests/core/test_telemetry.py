"""`/metrics` of one process and of several."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core import metrics_folder
from api.model.package import load_package
from api.settings import PROJECT, Settings
from tests.processes import running_api
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings.model_copy(update={"state_dir": tmp_path}))) as client:
        yield client


def value(text: str, name: str, **labels: str) -> float:
    """The value of a line in the text format; 0 if it is missing."""
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match and match[1] == name:
            found_labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            if found_labels.items() >= labels.items():
                return float(match[3])
    return 0


def test_every_metric_is_exposed(own: TestClient) -> None:
    photo = encode(draw_fruit("freshapples"), "JPEG")
    prediction = own.post("/predict", files={"file": photo}).json()
    own.post(f"/predictions/{prediction['prediction_id']}/feedback", json={"correct": True})
    own.post("/upload-training-data", files={"files": photo}, data={"class_name": "pears"})
    response = own.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for name in (
        "requests_total",
        "request_seconds_bucket",
        "predictions_total",
        "prediction_confidence_bucket",
        "inference_seconds_bucket",
        "recorder_queue",
        "recorder_dropped_total",
        "champion_info",
        "engine_seconds",
        "training_runs",
        "training_run_active",
        "drift",
        "drift_threshold",
        "uploads_total",
        "feedback_total",
    ):
        assert f"ripeline_{name}" in response.text or f"# TYPE ripeline_{name}" in response.text, (
            name
        )


def test_prediction_is_counted_by_class_version_and_recognition(own: TestClient) -> None:
    photo = encode(draw_fruit("freshapples"), "JPEG")
    before = own.get("/metrics").text
    prediction = own.post("/predict", files={"file": photo}).json()
    after = own.get("/metrics").text
    labels = {
        "class_name": prediction["predicted_class"],
        "version": prediction["model_version"],
        "recognised": "yes" if prediction["recognised"] else "no",
    }
    name = "ripeline_predictions_total"
    assert value(after, name, **labels) - value(before, name, **labels) == 1
    name = "ripeline_inference_seconds_count"
    assert value(after, name) - value(before, name) == 1


def test_uploads_are_counted_by_outcome(own: TestClient) -> None:
    photo = encode(draw_fruit("freshapples"), "JPEG")
    before = own.get("/metrics").text
    files = [("files", photo), ("files", photo), ("files", b"words")]
    own.post("/upload-training-data", files=files, data={"class_name": "pears"})
    after = own.get("/metrics").text
    name = "ripeline_uploads_total"
    for outcome in ("stored", "duplicate", "refused"):
        increase = value(after, name, outcome=outcome) - value(before, name, outcome=outcome)
        assert increase == 1, outcome


@pytest.mark.slow
def test_each_process_reports_the_totals_of_all(tmp_path: Path) -> None:
    """As for several uvicorn workers, which share a folder."""
    photo = encode(draw_fruit("freshapples"), "JPEG")
    created = load_package(PROJECT / "models" / "default").manifest.grader_made_at.timestamp()
    shared = {metrics_folder.VARIABLE: str(tmp_path)}
    with running_api(shared) as one, running_api(shared) as other:
        for url in (one, other, other):
            httpx.post(
                f"{url}/predict", files={"file": photo}, timeout=ANSWER_SECONDS, trust_env=False
            )
        texts = [httpx.get(f"{url}/metrics", trust_env=False).text for url in (one, other)]
    for text in texts:
        assert value(text, "ripeline_inference_seconds_count") == 3
        assert value(text, "ripeline_requests_total", route="/predict", status="200") == 3
        assert value(text, "ripeline_champion_info") == 1
        assert value(text, "ripeline_champion_created_timestamp_seconds") == created
