import numpy as np
import pytest

from api.core.arrays import softmax
from api.training.heads import fit_freshness, fit_head, freshness_of, kind_targets, parts_of


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


def test_a_start_changes_nothing_but_the_time() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(300, 8)).astype(np.float32)
    wanted = np.eye(3, dtype=np.float32)[embeddings[:, :3].argmax(axis=1)]
    count = np.ones(300, np.float32)
    alone = fit_head(embeddings, wanted, count, 1e-2)
    started = fit_head(embeddings, wanted, count, 1e-2, alone)
    assert started.weights == pytest.approx(alone.weights, abs=0.02)


def test_freshness_needs_both_levels_and_leaves_out_what_is_not_known() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(90, 4)).astype(np.float32)
    freshness = (embeddings[:, 0] > 0).astype(np.float32)
    freshness[60:] = np.nan
    embeddings[60:, 0] = 100  # Would upset the scale if it were learned from.
    count = np.ones(90, np.float32)
    linear = fit_freshness(embeddings, freshness, count, 1e-3)
    assert linear
    assert ((linear(embeddings[:60])[:, 0] > 0) == (freshness[:60] > 0)).mean() > 0.95
    assert fit_freshness(embeddings, np.ones(90, np.float32), count, 1e-3) is None
    assert fit_freshness(embeddings, np.full(90, np.nan, np.float32), count, 1e-3) is None


def test_targets_of_kinds_have_a_column_for_none_of_them_where_needed() -> None:
    kind_of = np.array([0, 0, 1])
    targets = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], np.float32)
    assert kind_targets(targets, kind_of).tolist() == [[1, 0], [1, 0], [0, 1]]
    with_none = np.concatenate([targets, np.zeros((1, 3), np.float32)])
    assert kind_targets(with_none, kind_of)[-1].tolist() == [0, 0, 1]
    assert freshness_of([1.0, None, 0.0])[[0, 2]].tolist() == [1, 0]
    assert np.isnan(freshness_of([None])).all()


def test_without_freshness_each_class_is_a_kind_of_its_own() -> None:
    classes = ("freshapples", "pears", "rottenapples")
    kind_of, parts = parts_of(classes, graded=True)
    assert kind_of.tolist() == [0, 1, 0]
    # Rotten, past its best, fresh: what is past its best counts as fresh.
    assert parts.tolist() == [[0, 1, 1], [1, 1, 0], [1, 1, 0]]
    kind_of, parts = parts_of(classes, graded=False)
    assert kind_of.tolist() == [0, 1, 2]
    assert (parts == 1).all()
