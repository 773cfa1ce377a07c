"""When a new detector replaces the one in use."""

from dataclasses import replace

import pytest

from api.core.paired_comparison import DetectorComparison, MetricPair, PairedCounts
from api.registry.detector_rules import (
    detector_notes,
    detector_verdict,
    judge_detector,
    judge_first_detector,
)

SAME = PairedCounts(100, 90, 0, 0)
EQUAL = DetectorComparison(
    photographs=40,
    boxes=100,
    overall=SAME,
    groups={"boxed photos from shop": PairedCounts(40, 36, 0, 0)},
    fruits={"apple": PairedCounts(30, 28, 0, 0)},
    grades=PairedCounts(40, 38, 0, 0),
    average_precision={"apple": MetricPair(0.95, 0.95)},
    recall=MetricPair(0.95, 0.95),
)


def test_detector_that_is_as_good_replaces_the_current_one() -> None:
    assert judge_detector(EQUAL) == []
    assert detector_notes(EQUAL) == []


def test_few_pictures_more_or_less_decide_nothing() -> None:
    assert judge_detector(replace(EQUAL, overall=PairedCounts(100, 90, 4, 2))) == []
    group = {"boxed photos from shop": PairedCounts(4, 4, 1, 0)}
    assert judge_detector(replace(EQUAL, groups=group)) == []
    # One wrong photo among few does not count.
    few = replace(
        EQUAL,
        fruits={"apple": PairedCounts(5, 5, 1, 0)},
        average_precision={"apple": MetricPair(1.0, 0.8)},
    )
    assert judge_detector(few) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overall": PairedCounts(100, 90, 8, 1)}, "right on 83 of 100 held-out photos"),
        ({"overall": PairedCounts(0, 0, 0, 0)}, "no held-out photos"),
        (
            {"groups": {"photos of one fruit": PairedCounts(120, 110, 9, 1)}},
            "photos of one fruit: 102 of 120 are right, where the current one has 110",
        ),
        ({"fruits": {"apple": PairedCounts(12, 12, 2, 0)}}, "photos with apple: in 10 of 12"),
        ({"average_precision": {"apple": MetricPair(0.95, 0.84)}}, "from 95.0 % to 84.0 %"),
        ({"grades": PairedCounts(40, 38, 5, 0)}, "graded right: 33 of 40"),
        # A large loss counts even though it may be chance.
        ({"grades": PairedCounts(10, 9, 2, 0)}, "graded right: 7 of 10"),
    ],
)
def test_worse_detector_does_not(change: dict[str, object], said: str) -> None:
    [reason] = judge_detector(replace(EQUAL, **change))  # type: ignore[arg-type]
    assert said in reason


@pytest.mark.parametrize("field", ["groups", "fruits"])
def test_one_of_many_groups_may_be_worse_by_chance(field: str) -> None:
    worse = PairedCounts(100, 90, 5, 0)
    assert judge_detector(replace(EQUAL, **{field: {"apple": worse}}))  # type: ignore[arg-type]
    two = {"apple": worse, "banana": SAME}
    assert judge_detector(replace(EQUAL, **{field: two})) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("pair", [(0.95, 0.86), (0.7, 0.95)])
def test_average_precision_may_rise_and_fall_a_little(pair: tuple[float, float]) -> None:
    changed = {"apple": MetricPair(*pair)}
    assert judge_detector(replace(EQUAL, average_precision=changed)) == []


def test_fruit_without_a_known_level_has_no_grades_to_judge() -> None:
    assert judge_detector(replace(EQUAL, grades=None)) == []


def test_no_gain_outweighs_a_loss() -> None:
    comparison = replace(
        EQUAL,
        overall=PairedCounts(200, 100, 6, 80),
        groups={"composed scenes": PairedCounts(60, 50, 8, 0)},
    )
    assert len(judge_detector(comparison)) == 1


def test_few_held_out_boxes_are_reported() -> None:
    [note] = detector_notes(replace(EQUAL, boxes=1))
    assert note.startswith("Only 1 fruit with a box")
    assert detector_notes(replace(EQUAL, boxes=19))
    assert not detector_notes(replace(EQUAL, boxes=20))


def test_first_detector_must_find_half() -> None:
    assert judge_first_detector(replace(EQUAL, overall=PairedCounts(100, 50, 0, 0))) == []
    [reason] = judge_first_detector(replace(EQUAL, overall=PairedCounts(100, 49, 0, 0)))
    assert "49 of 100" in reason
    assert judge_first_detector(replace(EQUAL, overall=PairedCounts(0, 0, 0, 0)))


def test_version_with_only_another_detector_is_judged_by_the_detector() -> None:
    assert detector_verdict([]).promote
    verdict = detector_verdict(["photos of one fruit: 102 of 120 are right"])
    assert not verdict.promote
    assert verdict.reasons == [
        "It does not find fruits well enough: photos of one fruit: 102 of 120 are right."
    ]
