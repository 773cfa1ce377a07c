import numpy as np
import pytest

from api.core.metrics import interval, mean_interval


def test_copies_of_one_photograph_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random(50) < 0.8
    names = [str(k) for k in range(50)]
    alone = mean_interval(correct, names)
    copied = mean_interval(np.repeat(correct, 9), np.repeat(names, 9).tolist())
    assert alone is not None
    assert copied == pytest.approx(alone)
    assert alone[0] < correct.mean() < alone[1]


def test_both_ways_agree_on_a_mean() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 1, 200)
    names = [str(k // 2) for k in range(200)]
    quick = mean_interval(values, names)
    slow = interval(lambda rows: float(values[rows].mean()), names)
    assert quick is not None
    assert slow == pytest.approx(quick, abs=0.03)


def test_groups_are_drawn_whole() -> None:
    names = ["a", "a", "b", "c"]
    seen = set()

    def statistic(rows: np.ndarray) -> float:
        seen.add(tuple(sorted(rows.tolist())))
        return 0.0

    assert interval(statistic, names) == (0, 0)
    assert (0, 0, 0, 1, 1, 1) in seen
    assert all(rows.count(0) == rows.count(1) for rows in seen)


def test_nothing_has_no_interval() -> None:
    assert mean_interval(np.array([], bool), []) is None
    assert interval(lambda rows: 0.0, []) is None
    assert interval(lambda rows: float("nan"), ["a", "b"]) is None
