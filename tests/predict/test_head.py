from pathlib import Path

import numpy as np
import pytest

from api.predict.head import Head, Rejection, pool, softmax, unit


def make_head(temperature: float = 1.0, threshold: float = 1.0) -> Head:
    """Two classes told apart by the first two of three channels."""
    rejection = Rejection(
        np.eye(3, dtype=np.float32),
        np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32),
        threshold,
    )
    weights = np.array([[4, 0], [0, 4], [0, 0]], dtype=np.float32)
    return Head(weights, np.zeros(2, dtype=np.float32), temperature, rejection)


def test_pool_averages_over_space_alone() -> None:
    feature_map = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4)
    assert np.allclose(pool(feature_map), feature_map.mean(axis=(1, 2)))


def test_softmax_stands_large_logits() -> None:
    assert softmax(np.array([[1e4, 0.0]], dtype=np.float32)).tolist() == [[1.0, 0.0]]


def test_temperature_softens_without_changing_the_class() -> None:
    embedding = np.array([[1, 0.2, 0]], dtype=np.float32)
    sharp = make_head(1.0).probabilities(embedding)[0]
    soft = make_head(3.0).probabilities(embedding)[0]
    assert sharp.argmax() == soft.argmax() == 0
    assert sharp[0] > soft[0] > 0.5
    assert soft.sum() == pytest.approx(1)


def test_rejects_what_is_far_from_every_class() -> None:
    head = make_head(threshold=0.5)
    embeddings = np.array([[9, 0.1, 0], [0, 2, 0.1], [0, 0, 5]], dtype=np.float32)
    assert head.recognises(embeddings).tolist() == [True, True, False]


def test_distance_does_not_depend_on_the_length_of_an_embedding() -> None:
    rejection = make_head().rejection
    embedding = np.array([[0.3, 0.1, 0.2]], dtype=np.float32)
    assert rejection.distance(embedding * 7) == pytest.approx(rejection.distance(embedding))


def test_unit_leaves_zeros() -> None:
    assert unit(np.zeros((1, 3), dtype=np.float32)).tolist() == [[0, 0, 0]]


def test_saved_head_answers_the_same(tmp_path: Path) -> None:
    head = make_head(2.0, 0.7)
    head.save(tmp_path / "head.npz")
    again = Head.load(tmp_path / "head.npz")
    embeddings = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    assert np.array_equal(again.probabilities(embeddings), head.probabilities(embeddings))
    assert np.array_equal(again.recognises(embeddings), head.recognises(embeddings))
