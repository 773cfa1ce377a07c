"""Shares look the same in all charts: "97.7 %"."""

import json
import re
from datetime import datetime

import plotly.graph_objects as go
import pytest
from api_models import (
    ClassAppearance,
    CopyCount,
    Count,
    Figure,
    FruitFreshness,
    ThresholdSweep,
    Trial,
)
from charts.appearance import appearance_by_class
from charts.bars import class_bars, probability_bars
from charts.curves import precision_recall_curves, reliability, roc_curves
from charts.insights import class_balance, copy_bars, fresh_against_rotten
from charts.report import (
    accuracy_against_time,
    confusion,
    input_sizes,
    metric_intervals,
    slice_intervals,
)
from charts.retraining import Pair, new_photos, recall_pairs
from charts.service import mean_confidence
from charts.thresholds import LineWords, sweep_chart
from stored_models import MetricSlice, PrecisionRecallCurve, ReliabilityBin, RocCurve

from api.core.threshold_sweep import Costs
from tests.ui.fake_insights import APPEARANCE
from tests.ui.fake_report import TRIAL, figure
from tests.ui.fake_thresholds import swept

KIWI_APPEARANCE = ClassAppearance.model_validate(
    {"class_name": "kiwi", "examples": 3, **APPEARANCE}
)
KIWIS = Count(class_name="kiwi", origin="upload", split="train", examples=12345)
PART = {"by": "fruit", "part": "apple", "files": 9, "photographs": 4, "accuracy": 0.9}
SLICE = MetricSlice.model_validate({**PART, "accuracy_interval_95": [0.8, 1.0]})
ROC = RocCurve(false_positive_rate=[0, 1], true_positive_rate=[0, 1], auc=0.98765)
RECALL = PrecisionRecallCurve(recall=[1, 0], precision=[0.5, 1], average_precision=0.9)
APPLES = FruitFreshness(fruit="apple", fresh=2, rotten=1)
SWEPT = ThresholdSweep.model_validate(json.loads(swept("v", Costs(1, 1, None)).body))
ERRORS = LineWords("rotten ones", "good ones", "let through", "thrown away")
COPIES = copy_bars([CopyCount(copies=1, photographs=12345)])
# Charts with an axis in percent.
WITH_AXIS = {
    "reliability": reliability([ReliabilityBin(files=9, confidence=0.977, accuracy=0.9)]),
    "roc": roc_curves({"kiwi": ROC}),
    "precision and recall": precision_recall_curves({"kiwi": RECALL}),
    "brightness": appearance_by_class([KIWI_APPEARANCE], "brightness"),
    "networks": accuracy_against_time([Trial.model_validate(TRIAL)], "other"),
    "input sizes": input_sizes([Trial.model_validate(TRIAL)], 96),
    "figures": metric_intervals([Figure.model_validate(figure("test", measures="version"))]),
    "slices": slice_intervals([SLICE]),
    "candidate against champion": recall_pairs({"kiwi": Pair(20, 19, 20)}),
    "confidence": mean_confidence([datetime(2026, 11, 21)], [0.9], 900),
    "freshness line": sweep_chart(SWEPT.held_out, SWEPT.corrected, ERRORS, []),
}
# Charts with shares only in their labels.
WITH_LABELS = {
    "confusion": confusion([[8, 2], [0, 1]], ["freshapples", "rottenapples"]),
    "freshness": fresh_against_rotten(2, 1, [APPLES]),
    "probabilities": probability_bars({"kiwi": 0.977, "mango": 0.023}, "kiwi"),
}


# Charts with text to the right of bars or dots.
BESIDE = {
    "probabilities": WITH_LABELS["probabilities"],
    "batch": class_bars({"kiwi": 12345}),
    "balance": class_balance([KIWIS]),
    "new photos": new_photos({"kiwi": 12345}),
    "networks": WITH_AXIS["networks"],
    "input sizes": WITH_AXIS["input sizes"],
}


@pytest.mark.parametrize("chart", [*WITH_AXIS.values(), *WITH_LABELS.values()])
def test_no_chart_uses_plotlys_percent_format(chart: go.Figure) -> None:
    # Plotly's own percent sign has no space before it.
    assert not re.search(r"\d%", chart.to_json())


@pytest.mark.parametrize("chart", WITH_AXIS.values(), ids=WITH_AXIS)
def test_axis_is_in_percent(chart: go.Figure) -> None:
    [axis, *_] = [
        axis for axis in (chart.layout.yaxis, chart.layout.xaxis) if axis.ticksuffix == " %"
    ]
    assert axis.range is None or axis.range[1] >= 100


@pytest.mark.parametrize("chart", WITH_AXIS.values(), ids=WITH_AXIS)
def test_dots_at_100_percent_are_not_cut_off(chart: go.Figure) -> None:
    for axis in (chart.layout.xaxis, chart.layout.yaxis):
        if axis.ticksuffix == " %" and axis.range is not None:
            low, high = axis.range
            # On a phone a chart is at least 260 pixels wide, and a dot up to 17.
            assert (high - 100) / (high - low) >= 17 / 2 / 260
            assert high - 100 >= 0.3


def test_text_beside_a_short_bar_needs_no_extra_room() -> None:
    chart = probability_bars({"kiwi": 0.9, "mango": 0.0004}, "kiwi")

    assert chart.layout.margin.r == probability_bars({"kiwi": 0.9}, "kiwi").layout.margin.r


@pytest.mark.parametrize("chart", BESIDE.values(), ids=BESIDE)
def test_text_beside_a_bar_or_dot_has_room(chart: go.Figure) -> None:
    texts = [text for trace in chart.data for text in trace.text or ()]
    texts += [note.text for note in chart.layout.annotations]

    # Texts are drawn outside the axes, but not outside the chart.
    assert chart.layout.margin.r >= 7 * max(map(len, texts))


@pytest.mark.parametrize("chart", [*BESIDE.values(), COPIES], ids=[*BESIDE, "copies"])
def test_text_beyond_the_axes_is_drawn(chart: go.Figure) -> None:
    beyond = [trace for trace in chart.data if trace.textposition in ("outside", "middle right")]

    assert beyond or chart.layout.annotations
    assert all(trace.cliponaxis is False for trace in beyond)


def test_number_above_the_tallest_bar_has_room() -> None:
    # The number is 12 pixels high, with some space above it.
    assert COPIES.layout.margin.t >= 20


@pytest.mark.parametrize("chart", WITH_LABELS.values(), ids=WITH_LABELS)
def test_shares_have_labels(chart: go.Figure) -> None:
    assert re.search(r"\d\.\d %", chart.to_json())
