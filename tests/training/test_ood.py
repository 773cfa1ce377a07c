import numpy as np
import pytest

from api.training.reject import REJECTED_KNOWN, fit_rejection, set_threshold


def cloud(centre: list[float], seed: int, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.array(centre) + rng.normal(0, 0.2, (count, len(centre)))).astype(np.float32)


@pytest.fixture
def embeddings() -> np.ndarray:
    return np.concatenate([cloud([5, 0, 0, 1], 0), cloud([0, 5, 0, 1], 1)])


def test_keeps_the_known_and_turns_away_the_rest(embeddings: np.ndarray) -> None:
    rejection = fit_rejection(embeddings, np.repeat([0, 1], 200))
    known = np.concatenate([cloud([5, 0, 0, 1], 2), cloud([0, 5, 0, 1], 3)])
    others = cloud([0, 0, 5, 1], 4)
    rejection = set_threshold(rejection, known, others)
    fresh = np.concatenate([cloud([5, 0, 0, 1], 5), cloud([0, 5, 0, 1], 6)])
    assert (rejection.distance(fresh) > rejection.threshold).mean() < 0.03
    assert (rejection.distance(cloud([0, 0, 5, 1], 7)) > rejection.threshold).mean() > 0.97


def test_without_others_few_known_are_turned_away(embeddings: np.ndarray) -> None:
    rejection = fit_rejection(embeddings, np.repeat([0, 1], 200))
    rejection = set_threshold(rejection, embeddings, np.empty((0, 4), np.float32))
    turned_away = (rejection.distance(embeddings) > rejection.threshold).mean()
    assert 0 < turned_away <= REJECTED_KNOWN


def test_fewer_photographs_than_directions() -> None:
    few = np.random.default_rng(0).random((6, 50), dtype=np.float32)
    rejection = fit_rejection(few, np.array([0, 0, 0, 1, 1, 1]))
    assert np.isfinite(rejection.distance(few)).all()
