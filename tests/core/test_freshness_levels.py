"""Freshness levels from two thresholds."""

import math

import pytest

from api.core.freshness_levels import LevelThresholds, threshold_error
from api.core.labels import Level


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0.0, "rotten"),
        (0.2999, "rotten"),
        (0.3, "past_best"),
        (0.6999, "past_best"),
        (0.7, "fresh"),
        (1.0, "fresh"),
    ],
)
def test_score_at_a_threshold_gets_the_better_level(score: float, level: Level) -> None:
    assert LevelThresholds(0.3, 0.7).level(score) == level


def test_without_fresh_from_there_is_no_middle_level() -> None:
    thresholds = LevelThresholds(0.5)
    assert [thresholds.level(score) for score in (0.49, 0.5)] == ["rotten", "fresh"]


@pytest.mark.parametrize(("below", "fresh"), [(0.3, 0.7), (0.5, 0.5), (1e-9, 1 - 1e-9)])
def test_valid_thresholds_have_no_error(below: float, fresh: float) -> None:
    assert threshold_error(below, fresh) == ""


@pytest.mark.parametrize(
    ("below", "fresh"), [(0, 0.5), (0.5, 1), (0.6, 0.5), (-1, 2), (math.nan, 0.5), (0.5, math.nan)]
)
def test_invalid_thresholds_have_an_error(below: float, fresh: float) -> None:
    assert "between 0 and 1" in threshold_error(below, fresh)
