"""Metrics by source on a few fruits."""

import json
from pathlib import Path

import numpy as np
import pytest

from api.core.labels import Level
from api.evaluation.freshness_metrics import freshness_pairs
from api.evaluation.graded import GradedSamples, OutOfFold
from api.evaluation.source_metrics import source_metrics
from api.training.bounding_boxes import Box
from api.training.samples import Sample, boxed_samples, one_hot

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")


def photo(number: int, class_name: str, source: str = "studio") -> Sample:
    target = one_hot(class_name, CLASSES)
    return Sample((Path(f"{number}.jpg"),), target, source=source, group=f"{class_name}/{number}")


def boxed(number: int, level: Level | None, fruit: str = "apple") -> Sample:
    box = Box(Path(f"box{number}.jpg"), fruit, level, str(number), 0, 0, 9, 9, source="phone")
    return boxed_samples([box], CLASSES)[0]


def graded(
    samples: list[Sample],
    predicted: list[int],
    confidence: float = 0.85,
    margins: list[float] | None = None,
) -> GradedSamples:
    probabilities = np.full((len(samples), 4), (1 - confidence) / 3, np.float32)
    probabilities[np.arange(len(predicted)), predicted] = confidence
    predictions = OutOfFold(
        probabilities,
        np.eye(4, dtype=np.float32)[predicted],
        np.array(margins or [-1.0] * len(samples), np.float32),
    )
    return GradedSamples(samples, predictions, CLASSES)


STUDIO = [photo(k, name) for k, name in enumerate(CLASSES)]


def test_worst_sources_and_groups_come_first() -> None:
    shop = [photo(9, "freshapples", "shop"), photo(10, "rottenapples", "shop")]
    metrics = source_metrics("left out", graded([*STUDIO, *shop], [0, 1, 2, 3, 0, 0]))
    assert metrics["split"] == "left out"
    assert metrics["accuracy"] == pytest.approx(5 / 6)
    assert list(metrics["by_source"]) == ["shop", "studio"]
    assert metrics["by_source"]["shop"]["accuracy"] == 0.5
    assert metrics["mean_of_sources"]["accuracy"] == 0.75
    assert metrics["worst_groups"][0] == {
        "source": "shop",
        "class": "rottenapples",
        "fruits": 1,
        "correct": 0,
        "accuracy": 0,
    }
    assert metrics["per_class"][0]["class"] == "rottenapples"
    assert metrics["per_class"][0]["accuracy"] == 0.5
    assert metrics["fruit_accuracy"] == 1
    # 5 of 6 are right at 0.85, all in one bin.
    assert metrics["expected_calibration_error"] == pytest.approx(0.85 - 5 / 6)
    assert metrics["expected_calibration_error_before_scaling"] == pytest.approx(1 / 6)
    json.dumps(metrics, allow_nan=False)


def test_box_of_unknown_level_counts_for_fruit_only() -> None:
    metrics = source_metrics("", graded([boxed(1, None), boxed(2, None, "banana")], [2, 0]))
    assert (metrics["fruits"], metrics["of_known_class"]) == (2, 0)
    assert metrics["fruit_accuracy"] == 0.5
    assert metrics["accuracy"] is None
    assert metrics["expected_calibration_error"] is None
    assert metrics["edible_not_called_rotten"] is None
    assert metrics["worst_groups"] == []
    assert metrics["mean_of_sources"]["accuracy"] is None
    json.dumps(metrics, allow_nan=False)


def test_past_best_counts_as_fresh_and_edible() -> None:
    metrics = source_metrics("", graded([boxed(1, "past_best"), boxed(2, "past_best")], [0, 2]))
    assert metrics["accuracy"] == 0.5
    assert metrics["edible_not_called_rotten"] == 0.5
    rotten = source_metrics("", graded([boxed(1, "rotten"), boxed(2, "fresh")], [2, 0]))
    assert rotten["accuracy"] == 1
    assert rotten["edible_not_called_rotten"] == 1


def test_confident_errors_count_if_recognised() -> None:
    samples = [*STUDIO[:3], boxed(1, None, "banana")]
    # The second and third are wrong and the third is rejected; the box is a banana.
    predictions = graded(samples, [0, 0, 0, 0], confidence=0.95, margins=[-1, -1, 1, -1])
    metrics = source_metrics("", predictions)
    assert metrics["wrong_and_sure_count"] == 2
    assert metrics["wrong_and_sure"] == 0.5
    assert metrics["known_rejected"] == 0.25
    assert source_metrics("", graded(samples, [0, 0, 0, 0]))["wrong_and_sure"] == 0


def test_intervals_resample_groups() -> None:
    """Ten fruits of one run are one observation."""
    samples = [boxed(1, "fresh") for _ in range(10)]
    metrics = source_metrics("", graded(samples, [0] * 5 + [2] * 5))
    assert metrics["accuracy"] == 0.5
    assert metrics["accuracy_interval_95"] == (0.5, 0.5)
    assert metrics["groups"] == 1


def test_freshness_pairs_are_compared_within_a_source() -> None:
    """Each source is ordered, although rotten fruit of "a" scores above fresh fruit of "b"."""
    scores = np.array([0.9, 0.8, 0.3, 0.2], np.float32)
    levels = np.array(["fresh", "rotten", "fresh", "rotten"])
    sources = np.array(["a", "a", "b", "b"])
    pairs = freshness_pairs(scores, levels, sources, np.array(list("wxyz")))
    assert list(pairs) == ["fresh over rotten"]
    assert pairs["fresh over rotten"]["ordered"] == 1
    assert pairs["fresh over rotten"]["sources"] == ["a", "b"]


def test_overlapping_levels_are_not_separated() -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat(["fresh", "past_best", "rotten"], 40)
    scores = np.concatenate([rng.uniform(0.8, 1, 80), rng.uniform(0, 0.2, 40)]).astype(np.float32)
    groups = np.array([str(k) for k in range(120)])
    pairs = freshness_pairs(scores, levels, np.repeat(["phone"], 120), groups)
    assert not pairs["fresh over past_best"]["told_apart"]
    assert pairs["past_best over rotten"]["told_apart"]
    assert pairs["past_best over rotten"]["ordered"] == 1
    assert (pairs["fresh over rotten"]["fresher"], pairs["fresh over rotten"]["staler"]) == (40, 40)


def test_levels_of_different_sources_form_no_pair() -> None:
    scores, groups = np.array([0.9, 0.1], np.float32), np.array(["1", "2"])
    assert (
        freshness_pairs(scores, np.array(["fresh", "rotten"]), np.array(["a", "b"]), groups) == {}
    )
