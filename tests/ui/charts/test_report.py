"""Charts of a version's metrics."""

import pytest
from api_models import Figure, Trial
from charts.curves import precision_recall_curves, reliability, roc_curves, training_curve
from charts.report import (
    accuracy_against_time,
    confusion,
    found_bars,
    input_sizes,
    metric_intervals,
    slice_intervals,
)
from charts.style import HIGHLIGHT, WARNING
from stored_models import MetricSlice, PrecisionRecallCurve, ReliabilityBin, RocCurve

from tests.ui.fake_report import TRIAL, figure


def test_each_metric_is_a_dot_with_its_interval_and_leaks_are_marked() -> None:
    figures = [
        Figure.model_validate(figure("test", measures="version")),
        Figure.model_validate(figure("supplied", leaks=True, low=None, high=None)),
    ]
    chart = metric_intervals(figures)

    own, leaking = chart.data
    assert own.error_x.array[0] == pytest.approx(1)
    assert own.error_x.arrayminus[0] == pytest.approx(3)
    assert (own.marker.color, leaking.marker.color) == (HIGHLIGHT, WARNING)
    assert leaking.marker.symbol == "x"
    assert "leaks" in chart.layout.annotations[1].text
    assert chart.layout.xaxis.range[0] < 95


def test_metrics_with_the_same_name_have_different_colours() -> None:
    same = [figure("source"), figure("source", measures="version"), figure("source", leaks=True)]
    chart = metric_intervals([Figure.model_validate(row) for row in same])

    assert len({dot.marker.color for dot in chart.data}) == 3


def test_confusion_matrix_is_coloured_by_row_share() -> None:
    [cells] = confusion([[8, 2], [0, 0]], ["freshapples", "rottenapples"]).data

    assert [list(row) for row in cells.z] == [[0.8, 0.2], [0, 0]]
    assert [list(row) for row in cells.text] == [["8", "2"], ["", ""]]
    assert cells.y == ("Fresh apple", "Rotten apple")


def test_slices_keep_their_order_and_intervals() -> None:
    part = {"by": "fruit", "part": "apple", "files": 9, "photographs": 4, "accuracy": 0.9}
    [dots] = slice_intervals(
        [MetricSlice.model_validate({**part, "accuracy_interval_95": [0.8, 1.0]})]
    ).data

    assert dots.y == ("Fruit: apple",)
    assert dots.x == (90.0,)
    assert dots.error_x.array[0] == pytest.approx(10)


def test_reliability_dots_grow_with_the_number_of_files() -> None:
    bins = [
        ReliabilityBin(files=1, confidence=0.5, accuracy=0.4),
        ReliabilityBin(files=99, confidence=1, accuracy=1),
    ]
    diagonal, dots = reliability(bins).data

    assert diagonal.x == diagonal.y == (0, 100)
    assert (dots.x, dots.y) == ((50.0, 100.0), (40.0, 100.0))
    assert dots.marker.size[0] < dots.marker.size[1]


def test_curves_have_a_line_for_each_class_with_its_area() -> None:
    roc = RocCurve(false_positive_rate=[0, 1], true_positive_rate=[0, 1], auc=0.98765)
    recall = PrecisionRecallCurve(recall=[1, 0], precision=[0.5, 1], average_precision=0.9)

    assert roc_curves({"freshapples": roc}).data[0].name == "Fresh apple 0.9877"
    assert precision_recall_curves({"mango": recall}).data[0].name == "Mango 0.9000"


def test_epochs_without_validation_leave_a_gap() -> None:
    learned, validated = training_curve([{"loss": 1.0}, {"loss": 0.5}], "loss", "Loss").data

    assert learned.y == (1.0, 0.5)
    assert validated.y == (None, None)


def test_network_in_use_is_highlighted() -> None:
    trials = [
        Trial.model_validate(TRIAL),
        Trial.model_validate({**TRIAL, "architecture": "other", "input_size": 96}),
    ]
    [networks] = accuracy_against_time(trials, "other").data
    [sizes] = input_sizes(trials, 96).data

    assert networks.marker.color[1] == HIGHLIGHT != networks.marker.color[0]
    assert sizes.text == ("96 px", "160 px")
    assert sizes.marker.color[0] == HIGHLIGHT


def test_bars_of_what_is_found_keep_their_order() -> None:
    [bars] = found_bars({"Banana": 0.5, "Apple": 1.0}).data

    assert bars.y == ("Banana", "Apple")
    assert list(bars.x) == [50, 100]
