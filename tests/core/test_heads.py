"""Small heads with results that can be checked by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.heads import Head, class_parts
from tests.heads import FRUIT, make_head, make_ood, make_two_heads, save_old_head

# Channels: apple, banana, none of them, freshness.
KINDS = [[4, 0, 0], [0, 4, 0], [0, 0, 4], [0, 0, 0]]
FRESHNESS = [0, 0, 0, 1]


def embedding(*values: float) -> NDArray[np.float32]:
    return np.array([values], np.float32)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_temperature_softens_without_changing_the_class() -> None:
    head = make_head([[4, 0], [0, 4], [0, 0]])
    [sharp] = head.probabilities(embedding(1, 0.2, 0))
    [soft] = replace(head, temperature=3.0).probabilities(embedding(1, 0.2, 0))
    assert sharp.argmax() == soft.argmax() == 0
    assert sharp[0] > soft[0] > 0.5
    assert soft.sum() == pytest.approx(1)
    assert np.array_equal(
        replace(head, temperature=3.0).uncalibrated.probabilities(embedding(1, 0.2, 0))[0], sharp
    )


def test_embedding_far_from_all_classes_is_not_recognised() -> None:
    ood = make_ood(3, [[1, 0, 0], [0, 1, 0]], distance=0.5)
    head = make_head([[4, 0], [0, 4], [0, 0]], ood=ood)
    rows = np.array([[9, 0.1, 0], [0, 2, 0.1], [0, 0, 5]], np.float32)
    assert head.recognises(rows).tolist() == [True, True, False]


def test_high_none_logit_is_not_recognised() -> None:
    head = make_two_heads(KINDS, FRESHNESS, ood=make_ood(4, distance=0))
    assert head.recognises(embedding(2, 0, 0, 0)).tolist() == [True]
    assert head.recognises(embedding(0, 0, 2, 0)).tolist() == [False]
    # The probabilities are still conditional on being one of the classes.
    assert head.probabilities(embedding(0, 0, 2, 0)) == pytest.approx(np.full((1, 4), 0.25))


def test_class_probability_is_kind_times_freshness() -> None:
    head = make_two_heads(KINDS, FRESHNESS)
    [found] = head.probabilities(embedding(1, 0, 0, logit(0.8)))
    apple = 1 / (1 + np.exp(-4))
    expected = [apple * 0.8, (1 - apple) * 0.8, apple * 0.2, (1 - apple) * 0.2]
    assert found == pytest.approx(expected, abs=1e-5)
    assert FRUIT[int(found.argmax())] == "freshapples"


@pytest.mark.parametrize("score", [0.05, 0.29, 0.3, 0.69, 0.7, 0.95])
def test_levels_sum_to_one_and_fresh_starts_at_its_threshold(score: float) -> None:
    freshness = make_two_heads(KINDS, FRESHNESS).freshness
    assert freshness
    [levels] = freshness.levels(embedding(0, 0, 0, logit(score)))
    assert levels.sum() == pytest.approx(1, abs=1e-6)
    rotten, _, fresh = levels
    assert rotten == pytest.approx(1 - score, abs=1e-5)
    assert (fresh >= 0.5 - 1e-6) == (score >= freshness.fresh_from)


def test_predict_equals_the_single_methods() -> None:
    head = make_two_heads(KINDS, FRESHNESS, ood=make_ood(4, np.eye(4)[:2], distance=0.8))
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    probabilities, recognised, projected = head.predict(rows)
    assert np.array_equal(probabilities, head.probabilities(rows))
    assert np.array_equal(recognised, head.recognises(rows))
    assert 0 < recognised.sum() < 20
    assert np.array_equal(projected, head.ood.project(rows))


def test_cam_weights_combine_kind_and_freshness() -> None:
    head = make_two_heads(KINDS, FRESHNESS)
    assert head.cam_weights(FRUIT.index("freshapples")) == pytest.approx([2, -2, 0, 1])
    assert head.cam_weights(FRUIT.index("rottenbananas")) == pytest.approx([-2, 2, 0, -1])
    # Freshness has no effect on a kind with a single class.
    plain = make_two_heads(KINDS, FRESHNESS, classes=("freshapples", "pears", "rottenapples"))
    assert plain.cam_weights(1) == pytest.approx([-2, 2, 0, 0])


def test_loaded_head_gives_the_same_results(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    two = make_two_heads(KINDS, FRESHNESS, ood=make_ood(4, np.eye(4)[:2], distance=0.8))
    for head in (two, make_head(np.eye(4), temperature=2.0)):
        head.save(tmp_path / "head.npz")
        again = Head.load(tmp_path / "head.npz")
        same = zip(again.predict(rows), head.predict(rows), strict=True)
        assert all(np.array_equal(one, other) for one, other in same)
        assert (again.channels, again.classes) == (4, 4)
        assert again.parameters == head.parameters
        assert again.thresholds == pytest.approx(head.thresholds)


def test_class_names_are_split_into_parts() -> None:
    kind_of, parts = class_parts(("freshapples", "overripeapples", "pears", "rottenapples"))
    assert kind_of.tolist() == [0, 0, 1, 0]
    # Rotten, past its best, fresh.
    assert parts.tolist() == [[0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0]]
    assert class_parts(("freshapples", "rottenapples"))[1].tolist() == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("more", [0, 3])
def test_old_head_gives_the_results_of_its_classifier(more: int, tmp_path: Path) -> None:
    """The channels of a second expert have no weight."""
    weights = np.array([[4, 0], [0, 4]], np.float32)
    save_old_head(tmp_path / "head.npz", weights, more=more, distance=0.5)
    head = Head.load(tmp_path / "head.npz")
    assert (head.channels, head.classes, head.freshness) == (2 + more, 2, None)
    rows = np.zeros((3, head.channels), np.float32)
    rows[:, :2] = np.array([[1, 0], [0, 1], [0.5, -1]])
    logits = rows[:, :2] @ weights / 2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert head.probabilities(rows) == pytest.approx(expected, abs=1e-6)
    assert head.recognises(rows).tolist() == [True, True, False]
    if more:
        rows[:, 2:] = 1
        assert head.probabilities(rows) == pytest.approx(expected, abs=1e-6)
