"""Each metric on numbers that can be checked by hand."""

import numpy as np
import pytest

from api.core.metrics import (
    auroc,
    confidently_wrong,
    recognition_threshold,
    rejected_at_tpr,
    worst_groups,
)


def test_pairs_in_order_are_counted_and_ties_count_half() -> None:
    # 0.9 is over both; 0.5 ties with one and is over none.
    assert auroc(np.array([0.9, 0.5]), np.array([0.5, 0.7])) == 2.5 / 4
    assert auroc(np.array([1.0, 2.0]), np.array([0.0])) == 1
    assert auroc(np.array([0.0]), np.array([1.0, 2.0])) == 0
    assert np.isnan(auroc(np.array([]), np.array([1.0])))
    assert np.isnan(auroc(np.array([1.0]), np.array([])))


def test_the_threshold_recognises_enough_of_every_source() -> None:
    # Of 50, one may be refused; of 4, none.
    many, few = np.arange(50.0), np.array([0.0, 1.0, 2.0, 60.0])
    sources = ["many"] * 50 + ["few"] * 4
    assert recognition_threshold(many, sources[:50]) == 48
    assert recognition_threshold(np.concatenate([many, few]), sources) == 60
    assert recognition_threshold(np.concatenate([many, few]), sources, share=0.5) == 24
    with pytest.raises(ValueError, match="No known fruit"):
        recognition_threshold(np.array([]), [])


def test_what_lies_over_that_threshold_is_refused() -> None:
    known = np.arange(50.0)
    refused = rejected_at_tpr(known, [""] * 50, np.array([47.5, 48.0, 48.5, 90.0]))
    assert refused.tolist() == [False, False, True, True]


def test_the_worst_group_comes_first_and_of_equals_the_larger() -> None:
    correct = np.array([True, False, True, True, False, True, True, True, False, False])
    sources = ["a", "a", "a", "b", "b", "b", "b", "c", "c", "c"]
    classes = ["x", "x", "y", "x", "x", "x", "x", "x", "y", "y"]
    found = worst_groups(correct, sources, classes)
    assert [(group.source, group.class_name, group.correct, group.count) for group in found] == [
        ("c", "y", 0, 2),
        ("a", "x", 1, 2),
        ("b", "x", 3, 4),
        ("a", "y", 1, 1),
        ("c", "x", 1, 1),
    ]
    assert found[2].accuracy == 0.75
    assert [group.count for group in worst_groups(np.zeros(3, bool), list("aab"), list("xxx"))] == [
        2,
        1,
    ]


def test_an_answer_misleads_that_is_wrong_and_sure_and_not_refused() -> None:
    correct = np.array([False, True, False, False, False])
    confidence = np.array([0.95, 0.95, 0.9, 0.95, 0.91], np.float32)
    recognised = np.array([True, True, True, False, True])
    found = confidently_wrong(correct, confidence, recognised)
    assert found.tolist() == [True, False, False, False, True]
