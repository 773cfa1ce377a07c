import json
from pathlib import Path

import numpy as np
import pytest

from api.core.labels import LEVELS, Level
from api.evaluation.freshness_metrics import freshness_order, phone_metrics
from api.evaluation.graded import GradedSamples, OutOfFold
from api.training.bounding_boxes import Box
from api.training.samples import boxed_samples

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")


def box(frame: int, level: Level, run: str = "1", fruit: str = "apple") -> Box:
    return Box(Path(f"{frame}.jpg"), fruit, level, run, 0, 0, 9, 9)


def graded(boxes: list[Box], predicted: list[int], margins: list[float]) -> GradedSamples:
    probabilities = np.eye(4, dtype=np.float32)[predicted]
    predictions = OutOfFold(probabilities, probabilities, np.array(margins, np.float32))
    return GradedSamples(boxed_samples(boxes, CLASSES), predictions, CLASSES)


def test_phone_metrics_by_fruit_and_edibility() -> None:
    boxes = [box(1, "fresh"), box(1, "past_best"), box(2, "past_best"), box(2, "rotten")]
    metrics = phone_metrics(graded(boxes, [0, 2, 1, 2], [-0.5, -0.5, 2, 0]))
    assert metrics["boxes"] == 4
    assert metrics["frames"] == 2
    assert metrics["fruit_accuracy"] == 0.75
    assert metrics["edible_not_called_rotten"] == pytest.approx(2 / 3)
    assert metrics["known_rejected"] == 0.25
    assert metrics["fruit_accuracy_interval_95"] == (0.5, 1.0)


def test_run_without_edible_fruit_has_null_share() -> None:
    boxes = [box(1, "fresh", "1"), box(2, "rotten", "2")]
    metrics = phone_metrics(graded(boxes, [0, 2], [0, 0]))
    assert metrics["by_run"]["2"]["edible_not_called_rotten"] is None
    assert metrics["by_run"]["2"]["fruit_accuracy"] == 1
    json.dumps(metrics, allow_nan=False)


def test_falling_score_is_in_freshness_order() -> None:
    levels = np.repeat(LEVELS, 10)
    score = np.linspace(1, 0, 30, dtype=np.float32)
    frames = [str(k) for k in range(30)]
    metrics = freshness_order(levels, score, frames)
    assert metrics["fresher_scores_higher"] == {
        "fresh over past_best": 1,
        "past_best over rotten": 1,
    }
    assert metrics["spearman"] > 0.9
    assert metrics["spearman_interval_95"][0] > 0.8
    backwards = freshness_order(levels, score[::-1], frames)
    assert backwards["spearman"] < -0.9
    assert backwards["fresher_scores_higher"]["fresh over past_best"] == 0
    assert list(metrics["mean_score"].values()) == sorted(
        metrics["mean_score"].values(), reverse=True
    )


def test_single_level_has_no_order() -> None:
    metrics = freshness_order(np.array(["fresh"] * 3), np.array([0.1, 0.5, 0.9]), list("abc"))
    assert metrics["spearman"] is None
    assert metrics["spearman_interval_95"] is None
    assert metrics["fresher_scores_higher"] == {}
