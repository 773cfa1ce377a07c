"""Gauges of the version in use, from its manifest and the catalog."""

import copy
import math
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from api.app import create_app
from api.model.package import BadPackageError
from api.monitoring import gauges as gauges_module
from api.monitoring.drift import DriftFigure
from api.monitoring.gauges import Gauges
from api.predictions.state import AppState
from api.settings import Settings
from tests.monitoring.samples import a_metric, add_answers


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path})


@pytest.fixture
def state(own: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppState]:
    # The service's background tasks would set the gauges and load the champion at any moment.
    monkeypatch.setattr("api.app.running", lambda *_: nullcontext())
    with TestClient(create_app(own)) as client:
        yield client.app.state.service  # type: ignore[attr-defined]


def serve(state: AppState, **changes: Any) -> None:
    """Serve a version whose manifest has `changes` instead of the current one."""
    predictor = copy.copy(state.serving())
    predictor.manifest = predictor.manifest.model_copy(update=changes)
    state.predictor = predictor


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"ripeline_{name}", labels)


def test_libraries_that_changed_since_the_package_was_made(own: Settings, state: AppState) -> None:
    gauges = Gauges(own, state)
    now = version("pillow")
    serve(state, version="a", versions={"numpy": "1.0", "pillow": now, "no-library": "1"})
    gauges.refresh()
    assert gauge("dependency_changed", library="numpy") == 1
    assert gauge("dependency_changed", library="pillow") == 0
    assert gauge("dependency_changed", library="no-library") is None
    serve(state, version="b", versions={"pillow": "1.0"})
    gauges.refresh()
    assert gauge("dependency_changed", library="numpy") == 0
    assert gauge("dependency_changed", library="pillow") == 1


def test_age_is_that_of_the_grader(own: Settings, state: AppState) -> None:
    made = datetime(2026, 7, 1, tzinfo=UTC)
    gauges = Gauges(own, state)
    serve(state, version="a", created_at=made, grader_created_at=None)
    gauges.refresh()
    assert gauge("champion_created_timestamp_seconds") == made.timestamp()
    later = made + timedelta(days=100)
    serve(state, version="b", created_at=later, grader_created_at=made)
    gauges.refresh()
    assert gauge("champion_created_timestamp_seconds") == made.timestamp()


def test_drift_of_a_former_version_is_gone(
    own: Settings, state: AppState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while too few photos have been graded to measure the new version's drift."""
    figures = [a_metric(0.5)]
    monkeypatch.setattr(gauges_module, "current_drift", lambda *_: figures)
    gauges = Gauges(own, state)
    gauges.refresh()
    assert (gauge("drift", figure="x"), gauge("drift_threshold", figure="x")) == (0.5, 0.25)

    def unreadable(*_: object) -> list[DriftFigure]:
        raise BadPackageError("damaged")

    for load in (lambda *_: [a_metric(None)], unreadable):
        monkeypatch.setattr(gauges_module, "current_drift", lambda *_: figures)
        serve(state, version="a")
        gauges.refresh()
        assert gauge("drift", figure="x") == 0.5
        monkeypatch.setattr(gauges_module, "current_drift", load)
        serve(state, version="b")
        gauges.refresh()
        assert math.isnan(gauge("drift", figure="x") or 0)
        assert math.isnan(gauge("drift_threshold", figure="x") or 0)


def test_accuracy_in_use_is_that_of_the_version_that_serves(own: Settings, state: AppState) -> None:
    gauges = Gauges(own, state)
    metrics = {"test_by_photograph": {"accuracy": 0.95}}
    serve(state, version="v1", metrics=metrics)
    gauges.refresh()
    assert math.isnan(gauge("accuracy_in_use") or 0)
    assert math.isnan(gauge("accuracy_below_held_out") or 0)
    add_answers(state.database, 60, 40)
    add_answers(state.database, 99, 1, version="v2")
    gauges.refresh()
    assert gauge("accuracy_in_use") == 0.6
    assert gauge("accuracy_below_held_out") == 1
    serve(state, version="v2", metrics=metrics)
    gauges.refresh()
    assert gauge("accuracy_in_use") == 0.99
    assert gauge("accuracy_below_held_out") == 0
