"""A test of a share that stays valid at every look, and the interval of a share."""

import numpy as np
import pytest
from scipy.special import betaincinv

from api.core.sequential import (
    evidence_above,
    evidence_below,
    exact_interval,
    share_interval,
)

LOOKS = (*range(10, 100, 5), *range(100, 600, 25))


def ever_alarms(share: float, expected: float, alpha: float, seed: int, versions: int) -> int:
    """How many of `versions` that are right with probability `share` are reported at any look."""
    right = np.random.default_rng(seed).random((versions, LOOKS[-1])) < share
    total = right.cumsum(axis=1)
    return sum(
        any(evidence_below(int(row[n - 1]), n, expected) >= 1 / alpha for n in LOOKS)
        for row in total
    )


@pytest.mark.parametrize(("expected", "seed"), [(0.95, 1), (0.8, 2), (0.99, 3)])
def test_looking_often_raises_no_more_false_alarms(expected: float, seed: int) -> None:
    # At most 20 are expected; the probability of 35 or more is 1 in 1000.
    assert ever_alarms(expected, expected, alpha=0.05, seed=seed, versions=400) < 35


def test_fixed_test_at_every_look_would_raise_many() -> None:
    """Why a sequential test is needed: the usual one-sided bound fails with this many looks."""
    right = np.random.default_rng(1).random((400, LOOKS[-1])) < 0.95
    total = right.cumsum(axis=1)
    bound = {n: 0.95 * n - 1.645 * (0.95 * 0.05 * n) ** 0.5 for n in LOOKS}
    assert sum(any(row[n - 1] < bound[n] for n in LOOKS) for row in total) > 70


def test_worse_version_is_reported() -> None:
    assert ever_alarms(0.8, 0.95, alpha=0.01, seed=4, versions=50) == 50


@pytest.mark.parametrize(("expected", "seed"), [(0.05, 1), (0.1, 2), (0.6, 3)])
def test_looking_often_finds_no_share_above_too_often(expected: float, seed: int) -> None:
    hits = (np.random.default_rng(seed).random((400, LOOKS[-1])) < expected).cumsum(axis=1)
    alarms = sum(
        any(evidence_above(int(row[n - 1]), n, expected) >= 20 for n in LOOKS) for row in hits
    )
    assert alarms < 35


def test_share_above_is_found() -> None:
    assert evidence_above(12, 60, 0.05) > 100
    assert evidence_above(3, 60, 0.05) < 1
    assert evidence_above(60, 60, 1.0) == evidence_above(5, 60, 0.0) == 0


@pytest.mark.parametrize(("share", "seed"), [(0.02, 1), (0.3, 2)])
def test_exact_interval_covers_the_share(share: float, seed: int) -> None:
    counts = np.random.default_rng(seed).binomial(50, share, 500)
    intervals = [exact_interval(int(count), 50, 0.95) for count in counts]
    assert sum(low <= share <= high for low, high in intervals) >= 475


def test_exact_interval_at_the_ends() -> None:
    assert exact_interval(0, 0, 0.95) == (0, 1)
    end = 0.05 ** (1 / 59)
    assert exact_interval(0, 59, 0.9) == pytest.approx((0, 1 - end))
    assert exact_interval(59, 59, 0.9) == pytest.approx((end, 1))


@pytest.mark.parametrize("trials", [1, 2, 59, 600, 20_000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999999])
def test_exact_interval_is_that_of_scipy(trials: int, confidence: float) -> None:
    half = (1 - confidence) / 2
    for successes in sorted({0, 1, trials // 10, trials // 2, trials - 1, trials}):
        failures = trials - successes
        low = float(betaincinv(successes, failures + 1, half)) if successes else 0.0
        high = float(betaincinv(successes + 1, failures, 1 - half)) if failures else 1.0
        interval = exact_interval(successes, trials, confidence)
        assert interval == pytest.approx((low, high), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("expected", [0.0, 1.0])
def test_certain_expectations(expected: float) -> None:
    assert evidence_below(40, 40, expected) <= 1
    assert (evidence_below(10, 40, expected) > 100) == (expected == 1)


@pytest.mark.parametrize("expected", [5e-324, 1e-300, 1 - 2**-53])
def test_expectations_next_to_certain_raise_no_alarm(expected: float) -> None:
    # NumPy's warnings of divisions by zero are errors in tests.
    assert evidence_above(1, 40, expected) == 0
    assert evidence_below(40, 40, expected) <= 1


def test_interval_matches_a_hand_computed_one() -> None:
    assert share_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_interval(0, 0) == (0, 1)
    assert share_interval(10, 10)[1] == 1
