import numpy as np
import pytest

from api.predict.head import softmax
from api.training.calibrate import expected_calibration_error, fit_temperature


def test_finds_by_how_much_logits_are_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (20_000, 3)).astype(np.float32)
    chances = softmax(honest)
    labels = (rng.random(20_000)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    assert fit_temperature(honest * 3, labels) == pytest.approx(3, rel=0.05)
    before = expected_calibration_error(softmax(honest * 3), labels)
    after = expected_calibration_error(chances, labels)
    assert after < 0.015 < before


def test_error_of_a_known_case() -> None:
    """Four answers at 0.9, of which two are right: the gap is 0.4."""
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (4, 1))
    labels = np.array([0, 0, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.4, abs=1e-6)
