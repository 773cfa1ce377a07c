"""Overlaps of boxes and non-maximum suppression, on boxes that can be checked by hand."""

import numpy as np
import pytest

from api.core.boxes import areas, overlaps, suppress

SQUARE = (0, 0, 10, 10)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_areas_are_never_negative() -> None:
    assert areas(boxes(SQUARE, (2, 3, 5, 4), (5, 5, 5, 9), (9, 9, 1, 1))).tolist() == [100, 3, 0, 0]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (SQUARE, 1),
        ((0, 0, 10, 5), 0.5),
        ((5, 0, 15, 10), 1 / 3),
        ((10, 0, 20, 10), 0),
        ((30, 30, 40, 40), 0),
        ((4, 4, 4, 4), 0),
    ],
)
def test_overlap_is_shared_area_over_joint_area(
    other: tuple[float, float, float, float], expected: float
) -> None:
    assert overlaps(boxes(SQUARE), boxes(other)) == pytest.approx(expected)


def test_overlaps_of_none_are_none() -> None:
    assert overlaps(boxes(), boxes(SQUARE)).shape == (0, 1)


def test_the_better_of_two_that_overlap_is_kept_best_first() -> None:
    rows = boxes(SQUARE, (1, 0, 11, 10), (20, 0, 30, 10), (20, 4, 30, 14))
    scores = np.array([0.5, 0.9, 0.3, 0.6], np.float32)
    assert suppress(rows, scores, 0.5).tolist() == [1, 3, 2]
    assert suppress(rows, scores, 0.4).tolist() == [1, 3]


def test_box_that_overlaps_a_dropped_one_is_kept() -> None:
    rows = boxes(SQUARE, (4, 0, 14, 10), (8, 0, 18, 10))
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert suppress(rows, scores, 0.3).tolist() == [0, 2]


def test_nothing_is_kept_of_nothing() -> None:
    assert suppress(boxes(), np.zeros(0, np.float32), 0.5).tolist() == []
