"""Each metric on values that can be checked by hand."""

import json

import numpy as np
import pytest

from api.core.metrics import (
    auroc,
    confidently_wrong,
    evaluate,
    interval,
    mean_interval,
    recognition_threshold,
    worst_groups,
)

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")


def test_auroc_counts_a_tie_as_half() -> None:
    # 0.9 is above both; 0.5 ties with one and is below the other.
    assert auroc(np.array([0.9, 0.5]), np.array([0.5, 0.7])) == 2.5 / 4
    assert auroc(np.array([1.0, 2.0]), np.array([0.0])) == 1
    assert auroc(np.array([0.0]), np.array([1.0, 2.0])) == 0
    assert np.isnan(auroc(np.array([]), np.array([1.0])))
    assert np.isnan(auroc(np.array([1.0]), np.array([])))


def test_recognition_threshold_keeps_the_share_of_every_source() -> None:
    # One of 50 may be rejected, but none of 4.
    many, few = np.arange(50.0), np.array([0.0, 1.0, 2.0, 60.0])
    sources = ["many"] * 50 + ["few"] * 4
    assert recognition_threshold(many, sources[:50]) == 48
    assert recognition_threshold(np.concatenate([many, few]), sources) == 60
    assert recognition_threshold(np.concatenate([many, few]), sources, share=0.5) == 24
    with pytest.raises(ValueError, match="No known fruit"):
        recognition_threshold(np.array([]), [])


def test_scores_above_the_threshold_are_rejected() -> None:
    known = np.arange(50.0)
    refused = np.array([47.5, 48.0, 48.5, 90.0]) > recognition_threshold(known, [""] * 50)
    assert refused.tolist() == [False, False, True, True]


def test_worst_groups_are_sorted_by_accuracy_then_size() -> None:
    correct = np.array([True, False, True, True, False, True, True, True, False, False])
    sources = ["a", "a", "a", "b", "b", "b", "b", "c", "c", "c"]
    classes = ["x", "x", "y", "x", "x", "x", "x", "x", "y", "y"]
    groups = worst_groups(correct, sources, classes)
    assert [(group.source, group.class_name, group.correct, group.count) for group in groups] == [
        ("c", "y", 0, 2),
        ("a", "x", 1, 2),
        ("b", "x", 3, 4),
        ("a", "y", 1, 1),
        ("c", "x", 1, 1),
    ]
    assert groups[2].accuracy == 0.75
    assert [group.count for group in worst_groups(np.zeros(3, bool), list("aab"), list("xxx"))] == [
        2,
        1,
    ]


def test_confidently_wrong_needs_confidence_and_recognition() -> None:
    correct = np.array([False, True, False, False, False])
    confidence = np.array([0.95, 0.95, 0.9, 0.95, 0.91], np.float32)
    recognised = np.array([True, True, True, False, True])
    wrong = confidently_wrong(correct, confidence, recognised)
    assert wrong.tolist() == [True, False, False, False, True]


def test_accuracy_of_class_fruit_and_freshness() -> None:
    labels = np.array([0, 1, 2, 3])
    predicted = np.array([0, 3, 2, 2])
    scores = evaluate(np.eye(4, dtype=np.float32)[predicted], labels, CLASSES, list("abcd"))
    assert scores["accuracy"] == 0.5
    assert scores["fruit_accuracy"] == 0.75
    assert scores["freshness_accuracy"] == 0.75
    assert scores["per_class"]["freshapples"]["recall"] == 1
    assert scores["per_class"]["rottenapples"]["precision"] == 0.5
    assert scores["confusion_matrix"][1] == [0, 0, 0, 1]
    json.dumps(scores)


def test_classes_without_freshness_have_no_freshness_accuracy() -> None:
    scores = evaluate(np.eye(2, dtype=np.float32), np.array([0, 1]), ("cat", "dog"), ["a", "b"])
    assert "freshness_accuracy" not in scores


def test_copies_of_a_photo_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random(50) < 0.8
    names = [str(k) for k in range(50)]
    alone = mean_interval(correct, names)
    copied = mean_interval(np.repeat(correct, 9), np.repeat(names, 9).tolist())
    assert alone is not None
    assert copied == pytest.approx(alone)
    assert alone[0] < correct.mean() < alone[1]


def test_mean_interval_agrees_with_the_general_bootstrap() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 1, 200)
    names = [str(k // 2) for k in range(200)]
    quick = mean_interval(values, names)
    slow = interval(lambda rows: float(values[rows].mean()), names)
    assert quick is not None
    assert slow == pytest.approx(quick, abs=0.03)


def test_groups_are_resampled_as_a_whole() -> None:
    names = ["a", "a", "b", "c"]
    samples = set()

    def statistic(rows: np.ndarray) -> float:
        samples.add(tuple(sorted(rows.tolist())))
        return 0.0

    assert interval(statistic, names) == (0, 0)
    assert (0, 0, 0, 1, 1, 1) in samples
    assert all(rows.count(0) == rows.count(1) for rows in samples)


def test_empty_sample_has_no_interval() -> None:
    assert mean_interval(np.array([], bool), []) is None
    assert interval(lambda rows: 0.0, []) is None
    assert interval(lambda rows: float("nan"), ["a", "b"]) is None
