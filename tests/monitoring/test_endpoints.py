"""Drift, triggers and the summary through the whole service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.monitoring.drift import MIN_SIZE
from api.settings import Settings
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until


@pytest.fixture(scope="module")
def own(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A service that has graded drawings, which differ from photos."""
    state: Path = tmp_path_factory.mktemp("monitoring")
    with TestClient(create_app(shipped_settings.model_copy(update={"state_dir": state}))) as client:
        files = [
            ("files", (f"{seed}.jpg", encode(draw_fruit("rottenbanana", seed), "JPEG")))
            for seed in range(MIN_SIZE)
        ]
        client.post("/predict/batch", files=files)
        # Predictions are recorded in the background.
        until(lambda: client.get("/monitoring/summary").json()["predictions"] == MIN_SIZE)
        yield client


@pytest.mark.slow
def test_drawings_are_drift(own: TestClient) -> None:
    body = own.get("/drift").json()
    assert body["drifted"] is True
    assert body["model_version"] == own.get("/model-info").json()["model_info"]["version"]
    figures = {figure["name"]: figure for figure in body["figures"]}
    assert set(figures) == {"embeddings", "confidence", "class_mix"}
    embeddings = figures["embeddings"]
    assert embeddings["value"] > embeddings["threshold"]
    assert (embeddings["sample_size"], embeddings["enough"]) == (MIN_SIZE, True)
    assert embeddings["since"] is not None
    assert all(figure["sentence"].endswith(".") for figure in figures.values())


def test_no_drift_without_predictions(settings: Settings, tmp_path: Path) -> None:
    with TestClient(create_app(settings.model_copy(update={"state_dir": tmp_path}))) as fresh:
        body = fresh.get("/drift").json()
    assert body["drifted"] is False
    assert not any(figure["enough"] for figure in body["figures"])


def test_triggers_are_listed(own: TestClient) -> None:
    triggers = {trigger["name"]: trigger for trigger in own.get("/triggers").json()["triggers"]}
    assert list(triggers) == ["accuracy", "drift", "new-images", "schedule", "manual"]
    assert [triggers[name]["threshold"] for name in triggers] == [5, 1, 1000, None, None]
    assert triggers["drift"]["value"] > 1
    assert not triggers["drift"]["would_fire"]
    assert "Waiting for new photos" in triggers["drift"]["reason"]
    assert triggers["schedule"]["schedule"] == "none"
    assert all(trigger["description"] for trigger in triggers.values())


def test_trigger_is_configured(own: TestClient) -> None:
    response = own.put("/triggers/schedule", json={"schedule": "weekly", "cooldown_hours": 12})
    assert response.status_code == 200
    assert (response.json()["schedule"], response.json()["cooldown_hours"]) == ("weekly", 12)
    assert own.put("/triggers/schedule", json={"enabled": False}).json()["schedule"] == "weekly"
    assert own.put("/triggers/schedule", json={"enabled": None}).json()["enabled"] is True


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("accuracy", {"threshold": 1000}, 409, "bad-trigger-setting"),
        ("accuracy", {"threshold": "many"}, 422, "invalid-request"),
        ("accuracy", {"treshold": 3}, 422, "invalid-request"),
        ("schedule", {"schedule": "hourly"}, 422, "invalid-request"),
        ("moon", {"enabled": True}, 404, "unknown-trigger"),
        ("%00", {"enabled": True}, 404, "unknown-trigger"),
    ],
)
def test_invalid_settings_are_rejected(
    own: TestClient, name: str, body: dict[str, object], status: int, code: str
) -> None:
    response = own.put(f"/triggers/{name}", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_summary_shows_the_last_hours(own: TestClient) -> None:
    body = own.get("/monitoring/summary", params={"hours": 2}).json()
    assert body["predictions"] == sum(item["count"] for item in body["slices"]) == MIN_SIZE
    assert body["latency"]["sample_size"] == MIN_SIZE
    assert body["latency"]["p50_ms"] <= body["latency"]["p99_ms"]
    assert [change["kind"] for change in body["model_changes"]] == ["first"]
    for hours in ("0", "nan", "1e9"):
        assert own.get("/monitoring/summary", params={"hours": hours}).status_code == 422
