import numpy as np
import pytest

from api.core.arrays import batch_invariant_matmul, l2_normalize, logsumexp, pool, sigmoid, softmax


def test_pool_averages_over_positions() -> None:
    feature_map = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4)
    assert np.allclose(pool(feature_map), feature_map.mean(axis=(1, 2)))


def test_large_logits_do_not_overflow() -> None:
    large = np.array([[1e4, 0.0]], np.float32)
    assert softmax(large).tolist() == [[1.0, 0.0]]
    assert logsumexp(large).tolist() == [1e4]
    assert sigmoid(np.array([-1e4, 0, 1e4], np.float32)).tolist() == [0, 0.5, 1]


def test_logsumexp_and_softmax_agree() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert np.exp(logits - logsumexp(logits)[:, None]) == pytest.approx(softmax(logits), abs=1e-6)


def test_l2_normalize_leaves_zeros() -> None:
    rows = l2_normalize(np.array([[3, 4], [0, 0]], np.float32))
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))


def test_matmul_is_batch_invariant() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(8, 1280)).astype(np.float32)
    matrix = random.normal(size=(1280, 6)).astype(np.float32)
    together = batch_invariant_matmul(rows, matrix)
    assert np.allclose(together, rows @ matrix, atol=1e-3)
    alone = [batch_invariant_matmul(rows[k : k + 1], matrix)[0] for k in range(8)]
    assert all((together[k] == alone[k]).all() for k in range(8))
