import numpy as np
import pytest

from api.predict.head import softmax
from api.training.head import fit_head


def test_learns_what_can_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    embeddings = (np.eye(3)[labels] * 3 + rng.normal(0, 0.5, (300, 3)) + 7).astype(np.float32)
    wanted = np.eye(3, dtype=np.float32)[labels]
    weights, bias = fit_head(embeddings, wanted, np.ones(300, np.float32), l2=1e-3)
    assert ((embeddings @ weights + bias).argmax(axis=1) == labels).mean() > 0.98


def test_soft_targets_are_reproduced() -> None:
    embeddings = np.array([[1.0], [-1.0]], dtype=np.float32)
    wanted = np.array([[0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
    weights, bias = fit_head(embeddings, wanted, np.ones(2, np.float32), l2=1e-6)
    assert softmax(embeddings @ weights + bias) == pytest.approx(wanted, abs=0.01)


def test_weights_count() -> None:
    embeddings = np.zeros((2, 1), dtype=np.float32)
    wanted = np.eye(2, dtype=np.float32)
    weights, bias = fit_head(embeddings, wanted, np.array([3, 1], np.float32), l2=1e-6)
    assert softmax(embeddings @ weights + bias)[0] == pytest.approx([0.75, 0.25], abs=0.01)
