"""Health, readiness, status and model info."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.retraining import service as runs
from api.settings import Settings
from api.storage.db import Database, now


@pytest.fixture(scope="module")
def without_model(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A service without a model package."""
    empty: Path = tmp_path_factory.mktemp("no-model")
    changed = settings.model_copy(update={"model_dir": empty, "state_dir": empty / "state"})
    with TestClient(create_app(changed), raise_server_exceptions=False) as client:
        yield client


def test_live_returns_alive(client: TestClient) -> None:
    assert client.get("/live").json() == {"status": "alive"}


def test_ready_returns_ready(client: TestClient) -> None:
    assert client.get("/ready").json() == {"status": "ready"}


def test_health_has_the_fields_of_the_contract(client: TestClient) -> None:
    body = client.get("/health").json()
    assert set(body) == {
        "status",
        "uptime_seconds",
        "prediction_count",
        "timestamp",
        "model_loaded",
        "api_version",
    }
    assert body["status"] == "healthy"
    assert body["model_loaded"] is True


def test_model_info_has_the_architecture_and_test_metrics(client: TestClient) -> None:
    body = client.get("/model-info").json()
    assert set(body) == {
        "uptime_seconds",
        "prediction_count",
        "model_info",
        "status",
        "model_problem",
        "engine",
        "promote",
    }
    assert body["promote"] == "gate"
    assert body["engine"]["name"] in ("litert", "openvino")
    assert body["engine"]["milliseconds"] > 0
    info = body["model_info"]
    assert len(info["classes"]) == 6
    assert info["architecture"] == "efficientnet_lite0"
    scores = info["metrics"]["test_by_photograph"]
    assert scores["files"] >= scores["photographs"] > 0
    assert "not seen in training" in scores["split"]


def test_model_info_has_the_promotion_time(client: TestClient) -> None:
    info = client.get("/model-info").json()["model_info"]
    assert info["parent"] is None
    assert datetime.fromisoformat(info["champion_since"]).tzinfo is not None


def test_status_has_the_fields_of_the_contract(client: TestClient) -> None:
    body = client.get("/status").json()
    assert set(body) == {
        "api_status",
        "model_loaded",
        "model_classes",
        "total_predictions",
        "uptime_seconds",
        "training_status",
        "model_problem",
        "catalog_problem",
        "storage_problem",
        "recording_problem",
        "last_model_update",
    }
    assert (body["api_status"], body["model_loaded"]) == ("online", True)
    assert len(body["model_classes"]) == 6
    assert datetime.fromisoformat(body["last_model_update"]).tzinfo is not None


def test_status_shows_the_active_run_whatever_the_clock_was(
    settings: Settings, tmp_path: Path
) -> None:
    """The previous run began while the clock was ahead."""
    changed = settings.model_copy(update={"state_dir": tmp_path})
    with TestClient(create_app(changed), raise_server_exceptions=False) as client:
        database = Database(changed.database)
        for days in (400, 0):
            with database.session() as session:
                run = runs.create_run(session, mode="fast", started_by="manual", options={})
                run.created_at = now() + timedelta(days=days)
                if days:
                    runs.end(run, "failed", "")
        database.close()
        assert client.get("/status").json()["training_status"] == "queued"
        shown = client.get("/retraining-status").json()
    assert (shown["run_id"], shown["is_retraining"]) == (run.id, True)


def test_status_without_a_model_has_no_classes(without_model: TestClient) -> None:
    body = without_model.get("/status").json()
    assert (body["model_loaded"], body["model_classes"]) == (False, [])
    assert body["last_model_update"] is None


def test_without_a_model_the_service_is_live_but_not_ready(without_model: TestClient) -> None:
    assert without_model.get("/live").status_code == 200
    assert without_model.get("/health").json()["model_loaded"] is False
    assert without_model.get("/model-info").json()["model_info"] is None
    ready = without_model.get("/ready")
    assert ready.status_code == 503
    assert ready.headers["content-type"] == "application/problem+json"
    assert int(ready.headers["retry-after"]) > 0


def test_without_a_model_predictions_get_503(without_model: TestClient) -> None:
    response = without_model.post("/predict", files={"file": b"x"})
    assert response.status_code == 503
    assert response.json()["code"] == "model-unavailable"


def test_root_returns_json_by_default(client: TestClient) -> None:
    body = client.get("/").json()
    assert set(body) == {"message", "endpoints"}
    assert {"/predict", "/health", "/model-info"} <= set(body["endpoints"])


def test_root_links_browsers_to_the_app(client: TestClient) -> None:
    response = client.get("/", headers={"accept": "text/html,*/*"})
    assert response.headers["content-type"].startswith("text/html")
    assert 'href="http://127.0.0.1:8501"' in response.text
    assert 'href="docs"' in response.text
    assert client.get(urljoin("/", "docs")).status_code == 200
