import numpy as np
import pytest

from api.predict.head import softmax
from api.training.calibrate import expected_calibration_error, fit_temperature, uncalibrated


def test_finds_by_how_much_logits_are_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (20_000, 3)).astype(np.float32)
    chances = softmax(honest)
    labels = (rng.random(20_000)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    assert fit_temperature(honest * 3, labels) == pytest.approx(3, rel=0.05)
    before = expected_calibration_error(softmax(honest * 3), labels)
    after = expected_calibration_error(chances, labels)
    assert after < 0.015 < before


def test_a_few_that_are_all_right_do_not_make_certain() -> None:
    """Of 200 with a lead of 4 all are right, as is likely: that says little."""
    logits = np.tile(np.array([[4, 0]], np.float32), (200, 1))
    found = fit_temperature(logits, np.zeros(200, np.int64))
    assert 0.5 < found < 1
    # Far more of the same say more.
    many = fit_temperature(logits.repeat(100, axis=0), np.zeros(20_000, np.int64))
    assert many < 0.7 * found


def test_error_of_a_known_case() -> None:
    """Four answers at 0.9, of which two are right: the gap is 0.4."""
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (4, 1))
    labels = np.array([0, 0, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.4, abs=1e-6)


def test_the_temperature_can_be_taken_back() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (50, 3)).astype(np.float32)
    temperatures = np.repeat(np.array([0.5, 2.5], np.float32), 25)
    scaled = softmax(logits / temperatures[:, None])
    assert uncalibrated(scaled, temperatures) == pytest.approx(softmax(logits), abs=1e-5)


def test_a_probability_of_nothing_is_no_warning() -> None:
    certain = np.array([[1, 0, 0]], np.float32)
    assert uncalibrated(certain, np.array([3], np.float32))[0, 0] == pytest.approx(1)
