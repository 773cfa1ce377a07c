from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.predict.head import (
    Expert,
    Head,
    Linear,
    Rejection,
    by_row,
    halved,
    pool,
    restored,
    softmax,
    unit,
)


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


def make_expert(temperature: float = 1.0) -> Head:
    """`make_head` and an expert: a fourth channel is all it goes by, a fifth says how far the gate
    is open."""
    plain = make_head()
    own = Linear(np.array([[-6, 6]], np.float32), np.zeros(2, np.float32))
    rejection = replace(
        plain.rejection, projection=np.pad(plain.rejection.projection, ((0, 2), (0, 0)))
    )
    return replace(plain, rejection=rejection, expert=Expert(own, temperature))


# What the classifier takes for the first class and the expert for the second, as photographs that
# the gate is closed for, half open and open.
DISPUTED = np.array([[1, 0, 0, 1, 0], [1, 0, 0, 1, 0.5], [1, 0, 0, 1, 1]], np.float32)


def test_the_gate_decides_who_is_asked() -> None:
    head = make_expert()
    assert head.expert
    assert head.expert.share(DISPUTED) == pytest.approx([0, 0.25, 0.5], abs=1e-6)
    assert head.logits(DISPUTED[:1]) == pytest.approx(
        make_head().logits(DISPUTED[:1, :3]), abs=1e-5
    )
    half, wide = head.logits(DISPUTED[1:])
    assert half == pytest.approx([0.75 * 4 - 0.25 * 6, 0.25 * 6], abs=1e-5)
    assert wide == pytest.approx([0.5 * 4 - 0.5 * 6, 0.5 * 6], abs=1e-5)
    assert head.probabilities(DISPUTED).argmax(axis=1).tolist() == [0, 0, 1]
    assert head.channels == 5


def test_each_answer_is_divided_by_its_own_temperature() -> None:
    head = replace(make_expert(temperature=3.0), temperature=2.0)
    assert head.logits(DISPUTED[[0, 2]]) == pytest.approx(np.array([[2, 0], [0, 1]]), abs=1e-5)
    assert head.temperatures(DISPUTED) == pytest.approx(
        [2, 1 / (0.75 / 2 + 0.25 / 3), 2.4], abs=1e-5
    )
    assert make_head(2.0).temperatures(DISPUTED[:2, :3]).tolist() == [2, 2]


@pytest.mark.parametrize("class_index", [0, 1])
def test_the_evidence_of_all_channels_is_the_answer(class_index: int) -> None:
    head = replace(make_expert(temperature=3.0), temperature=2.0)
    for row in DISPUTED[:, None]:
        answer = head.logits(row)[0, class_index]
        assert row[0] @ head.evidence(row, class_index) == pytest.approx(answer, abs=1e-5)


def test_a_saved_expert_answers_the_same(tmp_path: Path) -> None:
    head = make_expert(temperature=3.0)
    head.save(tmp_path / "head.npz")
    again = Head.load(tmp_path / "head.npz")
    embeddings = np.random.default_rng(0).random((50, 5), dtype=np.float32)
    assert np.array_equal(again.probabilities(embeddings), head.probabilities(embeddings))
    assert again.parameters == head.parameters == (3 * 2 + 2) + (1 * 2 + 2)


def test_a_projection_of_any_size_is_saved_as_fit_rounded_it() -> None:
    drawn = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    drawn *= np.array([1e-8, 1, 1e6, 0], np.float32)
    half, scale = halved(drawn)
    rounded = restored(half, scale)
    assert rounded.flags.f_contiguous
    assert rounded == pytest.approx(drawn, rel=1e-3, abs=1e-12)
    again, same = halved(rounded)
    assert np.array_equal(restored(again, same), rounded)


def test_a_row_of_a_product_does_not_depend_on_the_others() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(8, 1280)).astype(np.float32)
    matrix = random.normal(size=(1280, 6)).astype(np.float32)
    together = by_row(rows, matrix)
    assert np.allclose(together, rows @ matrix, atol=1e-3)
    assert all((together[k] == by_row(rows[k : k + 1], matrix)[0]).all() for k in range(8))
