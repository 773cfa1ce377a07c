"""Skew as a metric: when and for which version it is measured."""

import copy
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
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
    """Measurements find `found` and are counted; `now` is the time in seconds."""

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
    # The service's background tasks would measure too, and load the champion, at any moment.
    monkeypatch.setattr("api.app.running", lambda *_: nullcontext())
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


def test_skew_is_a_metric_and_logged(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    for found, value in ((DIFFERS, 1), (AGREES, 0)):
        night.found, night.now = found, night.now + AGAIN_SECONDS
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            skew.refresh()
        assert telemetry.SKEW_FOUND._value.get() == value
        assert telemetry.SKEW_SAME_CLASS._value.get() == found.same_class
        assert bool(caplog.records) is bool(value)


def test_skew_is_unknown_if_nothing_was_compared(night: Night) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)

    def measure(found: Skew) -> tuple[float, float, float]:
        night.found, night.now = found, night.now + AGAIN_SECONDS
        skew.refresh()
        return shown()

    def shown() -> tuple[float, float, float]:
        gauges = (telemetry.SKEW_PHOTOS, telemetry.SKEW_SAME_CLASS, telemetry.SKEW_FOUND)
        photos, same_class, found = (gauge._value.get() for gauge in gauges)
        return photos, same_class, found

    def nothing(photos: int) -> object:
        return pytest.approx((photos, math.nan, math.nan), nan_ok=True)

    assert shown() == nothing(0)
    assert measure(AGREES) == (ENOUGH, 1, 0)
    assert measure(replace(AGREES, photos=ENOUGH - 1)) == nothing(ENOUGH - 1)


def test_starting_process_keeps_skew_measured_by_others(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.SKEW_FOUND.set(1)
    monkeypatch.setattr(telemetry, "shared_folder", lambda: tmp_path)
    NightlySkew(night.settings, night.state, lambda: night.now)
    assert telemetry.SKEW_FOUND._value.get() == 1


def test_new_version_is_measured_soon(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    skew = NightlySkew(night.settings, night.state, lambda: night.now)
    changed = FIRST_SECONDS
    night.found, night.now = DIFFERS, changed
    skew.refresh()
    assert telemetry.SKEW_FOUND._value.get() == 1
    predictor = copy.copy(night.state.serving())
    predictor.manifest = predictor.manifest.model_copy(update={"version": "another"})
    night.state.predictor = predictor
    skew.refresh()
    assert math.isnan(telemetry.SKEW_FOUND._value.get())
    assert night.measured == 1
    monkeypatch.setattr(nightly_skew, "measure_skew", lambda *_: AGREES)
    for now, found in ((FIRST_SECONDS - 1, math.nan), (FIRST_SECONDS, 0)):
        night.now = changed + now
        skew.refresh()
        assert telemetry.SKEW_FOUND._value.get() == pytest.approx(found, nan_ok=True)


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
