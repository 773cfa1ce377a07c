"""Energy distance and PSI raise no false alarms at any sample size, and detect real changes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.monitoring import two_sample
from api.monitoring.two_sample import (
    MIN_ENERGY_THRESHOLD,
    MIN_PSI_THRESHOLD,
    energy_drift,
    psi,
    psi_threshold,
)

SIZES = [(215, 50), (215, 200), (215, 500)]
SHARES = np.array([0.01, 0.04, 0.1, 0.15, 0.2, 0.5])
PSI_SIZES = [(50, 50), (215, 50), (215, 500), (1000, 500)]


def cloud(random: np.random.Generator, size: int, shift: float = 0) -> NDArray[np.float32]:
    """Six classes in 32 dimensions, like embeddings."""
    centres = np.random.default_rng(0).normal(size=(6, 32)) * 1.5
    points = centres[random.integers(0, 6, size)] + random.normal(size=(size, 32)) + shift
    return points.astype(np.float32)


def test_energy_matches_a_hand_computed_value() -> None:
    """Two points in each sample: (2 E|X-Y| - E|X-X'| - E|Y-Y'|) / 2 E|X-Y|."""
    reference = np.array([[0], [1]], np.float32)
    sample = np.array([[3], [5]], np.float32)
    across = (3 + 5 + 2 + 4) / 4
    value, _ = energy_drift(reference, sample)
    assert value == pytest.approx((2 * across - 2 / 4 - 4 / 4) / (2 * across), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_energy_without_a_change_is_below_its_threshold(reference_size: int, size: int) -> None:
    random = np.random.default_rng(1)
    for _ in range(8):
        value, threshold = energy_drift(cloud(random, reference_size), cloud(random, size))
        assert value <= threshold


@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_energy_detects_a_shift_of_the_mean(reference_size: int, size: int) -> None:
    random = np.random.default_rng(2)
    value, threshold = energy_drift(cloud(random, reference_size), cloud(random, size, shift=0.7))
    assert value > threshold


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_drift(value: float) -> None:
    random = np.random.default_rng(3)
    sample = cloud(random, 200)
    sample[7, 3] = value
    assert energy_drift(cloud(random, 215), sample) == (1.0, MIN_ENERGY_THRESHOLD)


def test_energy_detects_a_change_of_scale() -> None:
    random = np.random.default_rng(3)
    value, threshold = energy_drift(cloud(random, 215), 2 * cloud(random, 200))
    assert value > threshold


def test_small_significant_difference_is_not_drift() -> None:
    random = np.random.default_rng(4)
    value, threshold = energy_drift(cloud(random, 1000), cloud(random, 500, shift=0.15))
    assert 0 < value <= threshold == MIN_ENERGY_THRESHOLD


def test_identical_points_are_not_drift() -> None:
    value, threshold = energy_drift(np.ones((60, 2), np.float32), np.ones((60, 2), np.float32))
    assert value <= threshold


def counts(
    random: np.random.Generator, size: int, shares: NDArray[np.float64] = SHARES
) -> NDArray[np.int64]:
    return random.multinomial(size, shares).astype(np.int64)


def test_psi_matches_a_hand_computed_value() -> None:
    # Half a count is added to each, giving 0.5 and 0.5 against 0.25 and 0.75.
    reference, sample = np.array([9, 9]), np.array([4, 14])
    p, q = 9.5 / 19, 4.5 / 19
    expected = (q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p))
    assert psi(reference, sample) == pytest.approx(expected)
    assert psi(reference, reference) == 0


def test_psi_of_an_empty_group_is_finite() -> None:
    assert np.isfinite(psi(np.array([10, 0]), np.array([0, 10])))


@pytest.mark.slow
@pytest.mark.parametrize(("reference_size", "size"), PSI_SIZES)
def test_psi_without_a_change_is_below_its_threshold(reference_size: int, size: int) -> None:
    random = np.random.default_rng(1)
    for _ in range(40):
        reference, sample = counts(random, reference_size), counts(random, size)
        assert psi(reference, sample) <= psi_threshold(reference, sample)


@pytest.mark.parametrize(("reference_size", "size"), PSI_SIZES)
def test_psi_detects_a_shift(reference_size: int, size: int) -> None:
    random = np.random.default_rng(2)
    for _ in range(10):
        reference = counts(random, reference_size)
        sample = counts(random, size, SHARES[::-1])
        assert psi(reference, sample) > psi_threshold(reference, sample)


def test_small_samples_have_a_higher_threshold() -> None:
    random = np.random.default_rng(3)
    small = psi_threshold(counts(random, 50), counts(random, 50))
    large = psi_threshold(counts(random, 5000), counts(random, 5000))
    assert small > large == MIN_PSI_THRESHOLD


def test_psi_threshold_is_deterministic() -> None:
    reference, sample = np.array([20, 30]), np.array([30, 25])
    assert psi_threshold(reference, sample) == psi_threshold(reference, sample)


@pytest.mark.slow
def test_false_alarms_of_a_day_are_as_rare_as_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """On days without a change, each metric is computed once, as by `drift.load_sample`."""
    # Without the usual minimum, so that only chance decides.
    monkeypatch.setattr(two_sample, "MIN_PSI_THRESHOLD", 0.0)
    random = np.random.default_rng(5)
    shares = [0.5, 0.3, 0.2]
    alarms = 0
    for _ in range(200):
        looks = [
            (random.multinomial(300, shares), random.multinomial(60, shares))
            for _ in range(two_sample.FIGURES)
        ]
        alarms += any(psi(*look) > psi_threshold(*look) for look in looks)
    # At a rate of 1 in 1000, the probability of three or more in 200 is 1 in 1000.
    assert alarms < 3
