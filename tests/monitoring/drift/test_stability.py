"""The population stability index: calm where nothing changed, at every size."""

import numpy as np
import pytest
from numpy.typing import NDArray

from api.monitoring.drift.stability import SIGNIFICANT, stability_index, stability_threshold

SHARES = np.array([0.01, 0.04, 0.1, 0.15, 0.2, 0.5])
SIZES = [(50, 50), (215, 50), (215, 500), (1000, 500)]


def counts(
    random: np.random.Generator, size: int, shares: NDArray[np.float64] = SHARES
) -> NDArray[np.int64]:
    return random.multinomial(size, shares).astype(np.int64)


def test_by_hand() -> None:
    # Half a count is added to each: 0.5 and 0.5 against 0.25 and 0.75.
    reference, sample = np.array([9, 9]), np.array([4, 14])
    p, q = 9.5 / 19, 4.5 / 19
    expected = (q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p))
    assert stability_index(reference, sample) == pytest.approx(expected)
    assert stability_index(reference, reference) == 0


def test_an_empty_group_is_not_infinite() -> None:
    assert np.isfinite(stability_index(np.array([10, 0]), np.array([0, 10])))


@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_it_stays_calm_where_nothing_changed(reference_size: int, size: int) -> None:
    random = np.random.default_rng(1)
    for _ in range(40):
        reference, sample = counts(random, reference_size), counts(random, size)
        assert stability_index(reference, sample) <= stability_threshold(reference, sample)


@pytest.mark.parametrize(("reference_size", "size"), SIZES)
def test_it_sees_a_shift(reference_size: int, size: int) -> None:
    random = np.random.default_rng(2)
    for _ in range(10):
        reference = counts(random, reference_size)
        sample = counts(random, size, SHARES[::-1])
        assert stability_index(reference, sample) > stability_threshold(reference, sample)


def test_small_samples_need_more_and_large_ones_the_usual() -> None:
    random = np.random.default_rng(3)
    small = stability_threshold(counts(random, 50), counts(random, 50))
    large = stability_threshold(counts(random, 5000), counts(random, 5000))
    assert small > large == SIGNIFICANT


def test_it_says_the_same_every_time() -> None:
    reference, sample = np.array([20, 30]), np.array([30, 25])
    assert stability_threshold(reference, sample) == stability_threshold(reference, sample)
