"""The energy distance: calm where nothing changed, at every size, and awake where something did."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.monitoring.drift.energy import NOTICEABLE, energy_drift

SIZES = [(215, 50), (215, 200), (215, 500)]


def cloud(random: np.random.Generator, size: int, shift: float = 0) -> NDArray[np.float32]:
    """Six classes in 32 directions, as embeddings lie."""
    middles = np.random.default_rng(0).normal(size=(6, 32)) * 1.5
    points = middles[random.integers(0, 6, size)] + random.normal(size=(size, 32)) + shift
    return points.astype(np.float32)


def test_by_hand() -> None:
    """Two points a side: 2 E|X-Y| - E|X-X'| - E|Y-Y'|, over 2 E|X-Y|."""
    reference = np.array([[0], [1]], np.float32)
    sample = np.array([[3], [5]], np.float32)
    across = (3 + 5 + 2 + 4) / 4
    value, _ = energy_drift(reference, sample)
    assert value == pytest.approx((2 * across - 2 / 4 - 4 / 4) / (2 * across), rel=1e-5)


@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_it_stays_calm_where_nothing_changed(reference_size: int, size: int) -> None:
    random = np.random.default_rng(1)
    for _ in range(8):
        value, threshold = energy_drift(cloud(random, reference_size), cloud(random, size))
        assert value <= threshold


@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_it_sees_a_shift_of_the_mean(reference_size: int, size: int) -> None:
    random = np.random.default_rng(2)
    value, threshold = energy_drift(cloud(random, reference_size), cloud(random, size, shift=0.7))
    assert value > threshold


def test_it_sees_a_change_that_leaves_the_mean() -> None:
    random = np.random.default_rng(3)
    value, threshold = energy_drift(cloud(random, 215), 2 * cloud(random, 200))
    assert value > threshold


def test_a_difference_that_means_nothing_is_none_however_sure() -> None:
    random = np.random.default_rng(4)
    value, threshold = energy_drift(cloud(random, 1000), cloud(random, 500, shift=0.15))
    assert 0 < value <= threshold == NOTICEABLE


def test_points_that_are_all_the_same_are_no_drift() -> None:
    value, threshold = energy_drift(np.ones((60, 2), np.float32), np.ones((60, 2), np.float32))
    assert value <= threshold
