"""Comparing two models on the same photos."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.paired_comparison import ModelComparison, PairedCounts
from api.evaluation.compare_models import ComparedModel, HeldOut, compare_latency, compare_models
from api.model.predictor import Backbone
from tests.heads import make_head, make_ood


def model(classes: tuple[str, ...], embeddings: NDArray[Any], ood_count: int = 0) -> ComparedModel:
    """A model whose embeddings are its logits; it rejects embeddings far from every corner."""
    count = len(classes)
    corners = np.eye(count, dtype=np.float32)
    head = make_head(corners, ood=make_ood(count, corners, distance=0.5))
    ood_embeddings = np.full((ood_count, count), 1.0, np.float32)
    return ComparedModel(
        classes, head, embeddings.astype(np.float32), ood_embeddings, ood_embeddings
    )


def compare(
    champion: ComparedModel,
    candidate: ComparedModel,
    labels: list[str],
    names: list[str],
    **columns: NDArray[Any],
) -> ModelComparison:
    """Compare two models. `columns` of the held-out photos override the defaults: no source, known
    before."""
    held_out = HeldOut(
        np.array(labels),
        np.array(names),
        sources=np.full(len(labels), ""),
        looks=np.full((len(labels), 5), np.nan, np.float32),
        is_new=np.zeros(len(labels), bool),
        first_right=np.full(len(labels), -1, np.int8),
    )
    return compare_models(champion, candidate, replace(held_out, **columns))


def test_regressions_are_counted_by_class() -> None:
    labels = ["a", "a", "b", "b"]
    logits = {"a": [9.0, 0.0], "b": [0.0, 9.0]}
    champion = model(("a", "b"), np.array([logits[x] for x in "aabb"]))
    candidate = model(("a", "b"), np.array([logits[x] for x in "abbb"]))
    comparison = compare(champion, candidate, labels, ["1", "2", "3", "4"])
    assert (
        comparison.overall.lost,
        comparison.overall.won,
        comparison.overall.candidate_right,
    ) == (1, 0, 3)
    assert comparison.per_class["a"].lost == 1
    assert comparison.per_class["b"].lost == 0
    assert comparison.macro_f1 is not None
    assert comparison.macro_f1.champion == 1.0
    assert comparison.macro_f1.candidate == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert comparison.recognised.photographs == 4


def test_copies_of_a_photo_count_once() -> None:
    side = model(("a", "b"), np.array([[9.0, 0.0]] * 3))
    comparison = compare(side, side, ["a", "a", "a"], ["1", "1", "2"])
    assert comparison.overall.photographs == 2


def test_only_common_classes_count() -> None:
    champion = model(("a", "b"), np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]]))
    candidate = model(
        ("a", "b", "c"), np.array([[9.0, 0.0, 0.0], [0.0, 0.0, 9.0], [0.0, 0.0, 9.0]])
    )
    comparison = compare(champion, candidate, ["a", "c", "b"], ["1", "2", "3"])
    assert set(comparison.per_class) == {"a", "b"}
    # Predicting the new class counts as a regression too.
    assert (comparison.overall.photographs, comparison.overall.lost) == (2, 1)


def test_without_common_classes_nothing_is_compared() -> None:
    comparison = compare(
        model(("a", "b"), np.zeros((1, 2)), ood_count=1),
        model(("c", "d"), np.zeros((1, 2)), ood_count=1),
        ["c"],
        ["1"],
    )
    assert comparison.overall.photographs == 0
    assert comparison.macro_f1 is None
    assert comparison.calibration_error is None
    assert comparison.others_let_through is not None


def test_macro_f1_ignores_classes_without_photos() -> None:
    logits = np.eye(3) * 9
    champion = model(("a", "b", "c"), logits[[0, 0, 1]])
    candidate = model(("a", "b", "c"), logits[[0, 2, 1]])
    comparison = compare(champion, candidate, ["a", "a", "b"], ["1", "2", "3"])
    assert comparison.macro_f1 is not None
    assert comparison.macro_f1.champion == 1.0
    assert comparison.macro_f1.candidate == pytest.approx((2 / 3 + 1) / 2)


A, B = [9.0, 0.0], [0.0, 9.0]


def test_sources_slices_and_files_are_counted() -> None:
    looks = np.full((6, 5), np.nan, np.float32)
    looks[:, 0] = [0.1, 0.2, 0.5, 0.5, 0.8, 0.9]
    comparison = compare(
        model(("a", "b"), np.array([A] * 6)),
        model(("a", "b"), np.array([B, B, A, A, A, A])),
        ["a"] * 6,
        ["1", "2", "3", "3", "4", "5"],
        sources=np.array(["phone", "phone", "", "", "web", "web"]),
        looks=looks,
    )
    assert comparison.per_source == {
        "phone": PairedCounts(2, 2, 2, 0),
        "web": PairedCounts(2, 2, 0, 0),
    }
    assert comparison.per_slice["dark photos"] == PairedCounts(2, 2, 2, 0)
    assert comparison.per_slice["bright photos"] == PairedCounts(2, 2, 0, 0)
    assert comparison.per_class["a"].photographs == 5
    assert comparison.by_file["a"].photographs == 6


def test_slices_of_colour_are_within_a_fruit() -> None:
    looks = np.full((6, 5), np.nan, np.float32)
    # In degrees: red is around 0, so 350 is redder than 20.
    looks[:, 2] = [350, 20, 90, 50, 55, 60]
    held_out = HeldOut(
        np.array(["freshapples", "rottenapples", "freshapples", *["freshbanana"] * 3]),
        np.arange(6).astype(str),
        np.full(6, ""),
        looks,
        np.zeros(6, bool),
        np.full(6, -1, np.int8),
    )
    slices = held_out.slices()
    assert slices["apple: the reddest photos"].tolist() == [True] + [False] * 5
    assert slices["apple: the greenest photos"].tolist() == [False, False, True] + [False] * 3
    assert slices["banana: the reddest photos"].tolist() == [False] * 3 + [True, False, False]


def test_new_photos_are_counted_apart() -> None:
    comparison = compare(
        model(("a", "b"), np.array([A, A, A])),
        model(("a", "b"), np.array([B, A, A])),
        ["a", "b", "a"],
        ["1", "2", "3"],
        is_new=np.array([True, True, False]),
    )
    assert comparison.overall == PairedCounts(1, 1, 0, 0)
    assert comparison.new_photos == PairedCounts(2, 1, 1, 0)
    assert comparison.new_per_class["a"] == PairedCounts(1, 1, 1, 0)


def test_first_judgement_takes_the_champions_place() -> None:
    comparison = compare(
        model(("a", "b"), np.array([B, B, A])),
        model(("a", "b"), np.array([B, A, A])),
        ["a", "a", "a"],
        ["1", "2", "3"],
        first_right=np.array([1, 0, -1], np.int8),
    )
    assert comparison.since_first == {"": PairedCounts(2, 1, 1, 1), "a": PairedCounts(2, 1, 1, 1)}


def test_lost_and_returned_classes_are_counted() -> None:
    comparison = compare(
        model(("a", "b"), np.array([A, B, B])),
        model(("a", "c"), np.array([A, B, A])),
        ["a", "b", "c"],
        ["1", "2", "3"],
    )
    assert comparison.lost_classes == {"b": 1}
    assert comparison.returned_classes == {"c": PairedCounts(1, 0, 0, 0)}
    assert comparison.overall.photographs == 1


def test_certain_mistakes_raise_the_log_loss() -> None:
    comparison = compare(
        model(("a", "b"), np.array([A, [1.0, 2.0]])),
        model(("a", "b"), np.array([A, B])),
        ["a", "a"],
        ["1", "2"],
    )
    assert comparison.log_loss
    assert comparison.log_loss.candidate > 2 * comparison.log_loss.champion


def test_latency_is_measured_at_each_input_size() -> None:
    sizes: dict[str, set[int]] = {"one": set(), "two": set()}

    def network(name: str) -> Backbone:
        def run(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            sizes[name].add(pixels.shape[1])
            return np.zeros((1, 1, 1, 4), np.float32)

        return run

    figures = compare_latency(network("one"), network("two"), (32, 64))
    assert sizes == {"one": {32}, "two": {64}}
    assert figures.champion >= 0
