"""Table rows that compare champion and candidate."""

from api_models import VersionComparison
from charts.retraining import Pair
from components import comparisons
from formatting import TEST_ACCURACY
from stored_models import GateComparison

from api.insights.report import figures
from tests.ui.fake_learning import COMPARE, FIGURES, paired


def test_each_metric_of_the_gate_has_a_row() -> None:
    assert comparisons.gate_rows(GateComparison.model_validate(FIGURES)) == [
        ("Held-out photos right", "97.7 % (210 of 215)", "98.1 % (211 of 215)"),
        ("Right, each class alike (macro F1)", "98.0 %", "98.5 %"),
        ("Confidence off by (calibration error)", "1.4 %", "1.3 %"),
        ("Known photos recognised", "99.1 % (213 of 215)", "99.1 % (213 of 215)"),
        ("Time per photo", "6.1 ms", "6.2 ms"),
        ("New class: Kiwi", "not known", "8 of 8 held-out photos right"),
    ]


def test_without_measurements_there_are_no_rows() -> None:
    nothing = {"overall": paired(0, 0, 0), "recognised": paired(0, 0, 0)}

    assert comparisons.gate_rows(GateComparison.model_validate(nothing)) == []


def test_new_photos_without_held_out_photos_use_leave_one_out() -> None:
    fit = {"kiwi": {"left_out": 34, "left_out_right": 33}}
    figures = GateComparison.model_validate(FIGURES | {"new_classes": {}, "new_labels": fit})

    assert comparisons.gate_rows(figures)[-1] == (
        "New photos: Kiwi",
        "—",
        "left out one by one, 33 of 34 were graded correctly",
    )


def test_each_class_has_a_pair_of_counts() -> None:
    assert comparisons.by_class(GateComparison.model_validate(FIGURES)) == {
        "freshapples": Pair(100, 98, 99),
        "rottenapples": Pair(115, 112, 112),
        "kiwi": Pair(8, None, 8),
    }


def test_new_class_without_held_out_photos_uses_leave_one_out() -> None:
    fit = {"kiwi": {"left_out": 34, "left_out_right": 33}}
    figures = GateComparison.model_validate(FIGURES | {"new_classes": fit})

    assert comparisons.by_class(figures)["kiwi"] == Pair(34, None, 33)
    assert comparisons.left_out_classes(figures) == ["kiwi"]


def test_metric_rows_compare_two_versions() -> None:
    assert comparisons.metric_rows(VersionComparison.model_validate(COMPARE)) == [
        ("Right, each class alike (macro F1)", "98.0 %", "97.0 %"),
        ("Known photos rejected", "1.0 %", "—"),
    ]


def test_accuracy_has_one_name_on_all_pages() -> None:
    """The API provides the title in the report, the app that in tables of versions."""
    measured = {"accuracy": 0.97, "files": 9, "photographs": 4, "split": "test"}
    [reported] = figures({"test_by_photograph": measured}, {})
    row = {"name": "accuracy", "a": 0.97, "b": 0.98, "better": "higher"}
    compared = VersionComparison.model_validate(
        COMPARE | {"figures": [COMPARE["figures"][0] | row]}
    )

    assert (reported.name, reported.value) == ("test", measured["accuracy"])
    assert comparisons.metric_rows(compared) == [(reported.title, "97.0 %", "98.0 %")]
    assert reported.title == TEST_ACCURACY
