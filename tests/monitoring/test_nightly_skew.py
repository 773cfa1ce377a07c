"""Skew as a metric: when it is measured, and of which version."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core import telemetry
from api.model.package import Package, load_package
from api.model.predictor import Predictor
from api.monitoring import nightly_skew
from api.monitoring.nightly_skew import AGAIN_SECONDS, FIRST_SECONDS, NightlySkew
from api.monitoring.skew import ENOUGH, Skew
from api.predictions.state import AppState
from api.retraining.service import NoChampionError
from api.settings import Settings

AGREES = Skew("v", "litert", ENOUGH, same_class=1.0, difference=0.0, cosine=1.0, unreadable=0)
DIFFERS = replace(AGREES, same_class=0.5)


@dataclass
class Night:
    """A skew that is found at `now` seconds, and how often it was looked for."""

    state: AppState
    settings: Settings
    found: Skew | Exception = AGREES
    measured: int = 0
    now: float = 0.0

    def measure(self, *arguments: Any) -> Skew:
        load: Callable[[Package], Predictor] = arguments[3]
        assert load(load_package(self.settings.model_dir)) is self.state.predictor
        self.measured += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def night(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    own = settings.model_copy(update={"state_dir": tmp_path / "state"})
    with TestClient(create_app(own)) as client:
        night = Night(client.app.state.service, own)  # type: ignore[attr-defined]
        monkeypatch.setattr(nightly_skew, "measure_skew", night.measure)
        yield night


def test_it_is_measured_once_a_day(night: Night) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    for now, times in (
        (FIRST_SECONDS - 1, 0),
        (FIRST_SECONDS, 1),
        (FIRST_SECONDS + 60, 1),
        (FIRST_SECONDS + AGAIN_SECONDS, 2),
    ):
        night.now = now
        skew.refresh()
        assert night.measured == times


def test_what_differs_is_a_metric_and_logged(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    for found, value in ((DIFFERS, 1), (AGREES, 0)):
        night.found, night.now = found, night.now + AGAIN_SECONDS
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            skew.refresh()
        assert telemetry.SKEW_FOUND._value.get() == value
        assert telemetry.SKEW_SAME_CLASS._value.get() == found.same_class
        assert bool(caplog.records) is bool(value)


def test_without_a_champion_it_is_tried_again_later(night: Night) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    night.found, night.now = NoChampionError(), FIRST_SECONDS
    skew.refresh()
    night.now += 60
    skew.refresh()
    assert night.measured == 1
    night.now += FIRST_SECONDS
    skew.refresh()
    assert night.measured == 2


def test_a_version_that_is_being_replaced_is_not_measured(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*arguments: Any) -> Skew:
        night.measured += 1
        arguments[3](load_package(night.settings.model_dir))
        raise AssertionError("no other version is loaded")

    monkeypatch.setattr(nightly_skew, "measure_skew", measure)
    night.state.predictor = None
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    night.now = FIRST_SECONDS
    skew.refresh()
    skew.refresh()
    assert night.measured == 2
