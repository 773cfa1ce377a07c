import numpy as np
import pytest

from api.training.ood import REJECTED_NEW, choose_threshold, fit_ood


def cloud(centre: list[float], seed: int, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.array(centre) + rng.normal(0, 0.2, (count, len(centre)))).astype(np.float32)


@pytest.fixture
def embeddings() -> np.ndarray:
    return np.concatenate([cloud([5, 0, 0, 1], 0), cloud([0, 5, 0, 1], 1)])


def test_known_classes_are_kept_and_others_rejected(embeddings: np.ndarray) -> None:
    ood = fit_ood(embeddings, np.repeat([0, 1], 200))

    def scores(embeddings: np.ndarray) -> np.ndarray:
        return ood.score(ood.project(embeddings), np.zeros(len(embeddings), np.float32))

    known = scores(np.concatenate([cloud([5, 0, 0, 1], 2), cloud([0, 5, 0, 1], 3)]))
    threshold = choose_threshold(known, ["garden"] * len(known))
    fresh = scores(np.concatenate([cloud([5, 0, 0, 1], 5), cloud([0, 5, 0, 1], 6)]))
    assert (fresh > threshold).mean() < 0.05
    assert (scores(cloud([0, 0, 5, 1], 7)) > threshold).mean() > 0.97


def test_threshold_keeps_most_of_every_source_and_new_class() -> None:
    rng = np.random.default_rng(0)
    studio, shop = rng.normal(0, 1, 400), rng.normal(3, 1, 40)
    scores = np.concatenate([studio, shop]).astype(np.float32)
    sources = ["studio"] * 400 + ["shop"] * 40
    threshold = choose_threshold(scores, sources)
    assert (shop > threshold).sum() <= 1
    # A small source does not get its own bound.
    few = choose_threshold(scores[:410], sources[:410])
    assert few < threshold
    new = rng.normal(6, 1, 40).astype(np.float32)
    assert (new > choose_threshold(scores, sources, [new])).mean() <= REJECTED_NEW
    assert (new > threshold).mean() > REJECTED_NEW


def test_fewer_photos_than_directions() -> None:
    few = np.random.default_rng(0).random((6, 50), dtype=np.float32)
    ood = fit_ood(few, np.array([0, 0, 0, 1, 1, 1]))
    assert np.isfinite(ood.distance(ood.project(few))).all()
    assert ood.threshold == float("inf")
