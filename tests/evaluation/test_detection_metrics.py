"""Metrics of detections, on boxes and scores that can be checked by hand."""

import numpy as np
import pytest

from api.evaluation.detection_metrics import (
    FoundBoxes,
    average_precision,
    average_precisions,
    detection_metrics,
    match,
)

LEFT, RIGHT, MIDDLE = (0.0, 0.0, 0.4, 0.4), (0.6, 0.0, 1.0, 0.4), (0.3, 0.5, 0.7, 0.9)
Corners = tuple[float, float, float, float]


def a_photo(
    found: list[tuple[Corners, float, int]],
    true: list[tuple[Corners, int]],
    complete: bool = True,
) -> FoundBoxes:
    return FoundBoxes(
        np.array([box for box, _, _ in found], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in found], np.float32),
        np.array([fruit for _, _, fruit in found], np.int64),
        np.array([box for box, _ in true], np.float32).reshape(-1, 4),
        np.array([fruit for _, fruit in true], np.int64),
        complete,
    )


def test_a_fruit_is_found_once_by_the_best_box() -> None:
    near_left = (0.05, 0.0, 0.4, 0.4)
    boxes = np.array([near_left, LEFT, MIDDLE, RIGHT], np.float32)
    true = np.array([RIGHT, LEFT], np.float32)
    assert match(boxes, true).tolist() == [1, -1, -1, 0]


def test_overlap_of_one_half_is_a_match_and_less_is_not() -> None:
    true = np.array([LEFT], np.float32)
    assert match(np.array([(0, 0, 0.4, 0.2)], np.float32), true).tolist() == [0]
    assert match(np.array([(0, 0, 0.4, 0.19)], np.float32), true).tolist() == [-1]


@pytest.mark.parametrize(
    ("right", "total", "expected"),
    [
        ([True, True], 2, 1.0),
        ([True, False], 2, 0.5),
        ([False, True], 1, 0.5),
        # Precision 1, 1/2, 2/3 at recall 1/4, 1/4, 2/4: 1/4 * 1 + 1/4 * 2/3.
        ([True, False, True], 4, 5 / 12),
        ([False], 3, 0.0),
        ([], 3, 0.0),
    ],
)
def test_average_precision_is_the_area_under_the_curve(
    right: list[bool], total: int, expected: float
) -> None:
    scores = np.linspace(0.9, 0.5, len(right), dtype=np.float32)
    result = average_precision(scores, np.array(right, bool), total)
    assert result == pytest.approx(expected)


def test_average_precision_does_not_depend_on_the_order_of_the_rows() -> None:
    scores = np.array([0.2, 0.9, 0.5], np.float32)
    assert average_precision(scores, np.array([True, True, False]), 2) == pytest.approx(5 / 6)


def test_box_of_another_fruit_does_not_match_for_average_precision() -> None:
    photo = a_photo([(LEFT, 0.9, 1), (RIGHT, 0.8, 1)], [(LEFT, 0), (RIGHT, 1)])
    assert average_precisions([photo], ("apple", "banana", "orange")) == {
        "apple": 0.0,
        "banana": 0.5,
    }


def test_metrics_of_two_photos() -> None:
    photos = [
        a_photo([(LEFT, 0.9, 0), (MIDDLE, 0.6, 0)], [(LEFT, 0), (RIGHT, 0)]),
        a_photo([(MIDDLE, 0.8, 1), (RIGHT, 0.1, 0)], [(MIDDLE, 0)]),
    ]
    metrics = detection_metrics(photos, ("apple", "banana"), threshold=0.5)
    assert (metrics["photographs"], metrics["fruits"]) == (2, 3)
    assert metrics["recall"] == pytest.approx(2 / 3)
    assert metrics["precision"] == pytest.approx(2 / 3)
    assert metrics["right_fruit_of_found"] == pytest.approx(1 / 2)
    assert metrics["right_number"] == 1.0
    assert metrics["recall_by_size"]["large"] == {"fruits": 3, "recall": pytest.approx(2 / 3)}
    assert metrics["recall_by_size"]["small"] == {"fruits": 0, "recall": None}


def test_photos_with_fruit_that_has_no_box_only_count_for_recall() -> None:
    photos = [a_photo([(LEFT, 0.9, 0), (MIDDLE, 0.8, 0)], [(LEFT, 0)], complete=False)]
    metrics = detection_metrics(photos, ("apple",), threshold=0.5)
    assert metrics["recall"] == 1.0
    assert (metrics["precision"], metrics["right_number"]) == (None, None)
    assert metrics["average_precision"] is None


def test_fruit_of_unknown_kind_counts_for_recall_only() -> None:
    photo = a_photo([(LEFT, 0.9, 0), (RIGHT, 0.8, 1)], [(LEFT, -1), (RIGHT, 1)])
    metrics = detection_metrics([photo], ("apple", "banana"), 0.5)
    assert metrics["average_precision_by_fruit"] == {"banana": 1.0}
    assert (metrics["recall"], metrics["right_fruit_of_found"]) == (1.0, 1.0)
    apples = a_photo([(LEFT, 0.9, 0), (MIDDLE, 0.8, 0)], [(LEFT, -1), (MIDDLE, 0)])
    assert average_precisions([apples], ("apple",)) == {"apple": 1.0}
