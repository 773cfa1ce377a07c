import numpy as np
import pytest

from api.core.arrays import softmax
from api.core.calibration import expected_calibration_error, fit_fresh_from, fit_temperature
from api.core.labels import FRESH, PAST_BEST


def test_temperature_of_overconfident_logits_is_found() -> None:
    rng = np.random.default_rng(0)
    calibrated = rng.normal(0, 2, (20_000, 3)).astype(np.float32)
    probabilities = softmax(calibrated)
    labels = (rng.random(20_000)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    assert fit_temperature(calibrated * 3, labels) == pytest.approx(3, rel=0.05)
    before = expected_calibration_error(softmax(calibrated * 3), labels)
    after = expected_calibration_error(probabilities, labels)
    assert after < 0.015 < before


def test_small_perfect_sample_does_not_make_temperature_overconfident() -> None:
    """200 of 200 are correct at a logit margin of 4, which a calibrated model often reaches."""
    logits = np.tile(np.array([[4, 0]], np.float32), (200, 1))
    temperature = fit_temperature(logits, np.zeros(200, np.int64))
    assert 0.5 < temperature < 1.2
    # A much larger sample makes it more confident.
    temperature_of_many = fit_temperature(logits.repeat(100, axis=0), np.zeros(20_000, np.int64))
    assert temperature_of_many < 0.7 * temperature


def test_calibration_error_of_a_known_case() -> None:
    """Two of four predictions at 0.9 are correct: a gap of 0.4."""
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (4, 1))
    labels = np.array([0, 0, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.4, abs=1e-6)


def test_fresh_from_separates_fresh_from_past_best() -> None:
    rng = np.random.default_rng(0)
    fresh, past_best = rng.uniform(0.8, 1, 100), rng.uniform(0.5, 0.75, 100)
    scores = np.concatenate([fresh, past_best]).astype(np.float32)
    levels = np.repeat([FRESH, PAST_BEST], 100)
    assert 0.75 < fit_fresh_from(scores, levels, 0.5) <= 0.81
    # Without fruit past its best: the 5 % quantile of the fresh ones.
    fresh_from = fit_fresh_from(scores[:100], levels[:100], 0.5)
    assert (scores[:100] < fresh_from).mean() == pytest.approx(0.05, abs=0.01)
    assert fit_fresh_from(np.full(50, 0.1, np.float32), np.full(50, FRESH), 0.5) == 0.5
    assert fit_fresh_from(np.ones(50, np.float32), np.full(50, FRESH), 0.5) < 1
