import numpy as np
import pytest

from api.predict.head import Linear, softmax
from api.training.head import fit_head


def test_learns_what_can_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    embeddings = (np.eye(3)[labels] * 3 + rng.normal(0, 0.5, (300, 3)) + 7).astype(np.float32)
    wanted = np.eye(3, dtype=np.float32)[labels]
    head = fit_head(embeddings, wanted, np.ones(300, np.float32), l2=1e-3)
    assert (head(embeddings).argmax(axis=1) == labels).mean() > 0.98


def test_soft_targets_are_reproduced() -> None:
    embeddings = np.array([[1.0], [-1.0]], dtype=np.float32)
    wanted = np.array([[0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
    head = fit_head(embeddings, wanted, np.ones(2, np.float32), l2=1e-6)
    assert softmax(head(embeddings)) == pytest.approx(wanted, abs=0.01)


def test_weights_count() -> None:
    embeddings = np.zeros((2, 1), dtype=np.float32)
    wanted = np.eye(2, dtype=np.float32)
    head = fit_head(embeddings, wanted, np.array([3, 1], np.float32), l2=1e-6)
    assert softmax(head(embeddings))[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_little_that_is_new_changes_little_of_what_was_known() -> None:
    """Two rows cannot tell 8 channels apart; what they do not say stays as it was."""
    rng = np.random.default_rng(0)
    known = Linear(
        rng.normal(size=(8, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    )
    embeddings = rng.normal(size=(300, 8)).astype(np.float32)
    said = softmax(known(embeddings))
    count = np.ones(300, np.float32)
    assert fit_head(embeddings, said, count, 10.0, known).weights == pytest.approx(
        known.weights, abs=1e-3
    )
    assert np.abs(fit_head(embeddings, said, count, 10.0).weights).max() < 0.1
    # Labels that say otherwise move it, the more the weaker the penalty.
    wanted = np.eye(3, dtype=np.float32)[embeddings[:, :3].argmax(axis=1)]
    weak, strong = (fit_head(embeddings, wanted, count, l2, known) for l2 in (1e-3, 1.0))
    away = [np.abs(one.weights - known.weights).max() for one in (weak, strong)]
    assert away[0] > 3 * away[1] > 0
