"""OOD scores from a distance and a learned logit."""

import numpy as np
import pytest

from api.core.ood import (
    DISTANCE_WEIGHT,
    FEATURES,
    OodDetector,
    dequantize,
    drift_features,
    quantize,
)
from tests.heads import make_ood

MEANS = [[1, 0, 0], [0, 1, 0]]


def score(ood: OodDetector, embedding: list[float], none_logit: float = 0.0) -> float:
    projected = ood.project(np.array([embedding], np.float32))
    return float(ood.score(projected, np.array([none_logit], np.float32))[0])


def test_score_adds_distance_and_logit() -> None:
    ood = make_ood(3, MEANS)
    assert score(ood, [5, 0, 0]) == pytest.approx(0)
    assert score(ood, [0, 0, 1]) == pytest.approx(2 * DISTANCE_WEIGHT)
    assert score(ood, [0, 0, 1], 3) == pytest.approx(3 + 2 * DISTANCE_WEIGHT)


def test_score_ignores_the_embedding_norm() -> None:
    ood = make_ood(3, MEANS)
    assert score(ood, [0.3, 0.1, 0.2]) == pytest.approx(score(ood, [2.1, 0.7, 1.4]))


def test_projection_is_stored_in_half_precision() -> None:
    random = np.random.default_rng(0)
    ood = OodDetector(
        random.normal(size=(50, 4)).astype(np.float32),
        random.normal(size=(2, 4)).astype(np.float32),
        1.25,
    )
    arrays = ood.arrays()
    assert arrays["ood_projection"].dtype == np.float16
    loaded = OodDetector.from_arrays(arrays)
    assert loaded.projection == pytest.approx(ood.projection, abs=2e-3)
    assert np.array_equal(loaded.means, ood.means)
    assert loaded.threshold == 1.25


def test_quantizing_is_idempotent() -> None:
    projection = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    projection *= np.array([1e-8, 1, 1e6, 0], np.float32)
    quantized = dequantize(*quantize(projection))
    assert quantized.flags.f_contiguous
    assert quantized == pytest.approx(projection, rel=1e-3, abs=1e-12)
    assert np.array_equal(dequantize(*quantize(quantized)), quantized)


def test_drift_features_are_the_last_directions_within_float16() -> None:
    projected = np.arange(40, dtype=np.float32)[None]
    features = drift_features(projected)
    assert features.tolist() == [list(range(40 - FEATURES, 40))]
    assert np.isfinite(drift_features(projected * 1e6)).all()
