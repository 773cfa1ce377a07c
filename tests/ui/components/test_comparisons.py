"""Champion and candidate side by side, in words."""

from charts.retraining import Pair
from components import comparisons
from resources.models import SideBySide
from resources.runs import Comparison

from tests.ui.fake_learning import COMPARE, FIGURES, paired


def test_what_the_gate_judged_by_is_told_figure_by_figure() -> None:
    assert comparisons.judged(Comparison.model_validate(FIGURES)) == [
        ("Held-out photographs right", "97.7 % (210 of 215)", "98.1 % (211 of 215)"),
        ("Macro F1", "98.0 %", "98.5 %"),
        ("Calibration error", "1.4 %", "1.3 %"),
        ("Known photographs recognised", "99.1 % (213 of 215)", "99.1 % (213 of 215)"),
        ("Time for one photograph", "6.1 ms", "6.2 ms"),
        ("New class: Kiwi", "unknown to it", "8 of 8 held-out ones right"),
    ]


def test_with_nothing_measured_there_are_no_rows() -> None:
    nothing = {"overall": paired(0, 0, 0), "recognised": paired(0, 0, 0)}

    assert comparisons.judged(Comparison.model_validate(nothing)) == []


def test_new_photographs_that_none_is_held_out_of_are_told_by_what_the_others_teach() -> None:
    fit = {"kiwi": {"left_out": 34, "left_out_right": 33}}
    figures = Comparison.model_validate(FIGURES | {"new_classes": {}, "new_labels": fit})

    assert comparisons.judged(figures)[-1] == (
        "New photographs: Kiwi",
        "—",
        "33 of 34 right, each by what the others teach",
    )


def test_each_class_has_its_pair() -> None:
    assert comparisons.by_class(Comparison.model_validate(FIGURES)) == {
        "freshapples": Pair(100, 98, 99),
        "rottenapples": Pair(115, 112, 112),
        "kiwi": Pair(8, None, 8),
    }


def test_a_new_class_that_none_is_held_out_of_has_what_the_others_teach() -> None:
    fit = {"kiwi": {"left_out": 34, "left_out_right": 33}}
    figures = Comparison.model_validate(FIGURES | {"new_classes": fit})

    assert comparisons.by_class(figures)["kiwi"] == Pair(34, None, 33)
    assert comparisons.by_what_others_teach(figures) == ["kiwi"]


def test_what_two_versions_say_of_themselves() -> None:
    assert comparisons.measured(SideBySide.model_validate(COMPARE)) == [
        ("Macro F1", "98.0 %", "97.0 %"),
        ("Known photographs turned away", "1.0 %", "—"),
    ]
