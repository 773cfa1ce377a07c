"""The chart of what a freshness line gets wrong."""

import json

import pytest
from api_models import ThresholdSweep
from charts.thresholds import LineWords, sweep_chart

from api.core.threshold_sweep import Costs
from tests.ui.fake_thresholds import swept

WORDS = LineWords("rotten ones", "good ones", "let through", "thrown away")
MARKS = [(0.5, "in use: 50"), (0.66, "costs least: 66")]


def sweep(**changes: list[float] | tuple[list[float], list[float]]) -> ThresholdSweep:
    answer = swept("v", Costs(1, 1, None), **changes)  # type: ignore[arg-type]
    return ThresholdSweep.model_validate(json.loads(answer.body))


def test_each_error_is_a_line_and_corrected_photos_are_dotted() -> None:
    both = sweep()
    chart = sweep_chart(both.held_out, both.corrected, WORDS, MARKS)
    assert [(trace.name, trace.line.dash) for trace in chart.data] == [
        ("Rotten ones let through", "solid"),
        ("Good ones thrown away", "solid"),
        ("Rotten ones let through, corrected photos", "dot"),
        ("Good ones thrown away, corrected photos", "dot"),
    ]
    passed, lost, *_ = chart.data
    assert passed.line.color != lost.line.color
    assert (passed.x[65], passed.y[65]) == (pytest.approx(66), pytest.approx(100 / 31))
    assert lost.y[65] == pytest.approx(100 / 51)
    assert passed.text[65] == "line at 66: 3.2 %"


def test_lines_are_marked_side_by_side() -> None:
    both = sweep()
    chart = sweep_chart(both.held_out, both.corrected, WORDS, MARKS)
    assert [shape.x0 for shape in chart.layout.shapes] == [50, 66]
    first, second = chart.layout.annotations
    assert (first.text, second.text) == ("in use: 50", "costs least: 66")
    # The texts neither overlap nor leave the chart.
    assert first.y != second.y
    assert (first.xanchor, second.xanchor) == ("left", "right")


def test_errors_without_photos_are_not_drawn() -> None:
    one = sweep(rotten=[], corrected=([], []))
    chart = sweep_chart(one.held_out, one.corrected, WORDS, [])
    assert [trace.name for trace in chart.data] == ["Good ones thrown away"]
