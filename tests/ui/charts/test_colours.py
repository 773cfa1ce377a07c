"""A class has the same colour in every chart, whatever the other classes are."""

from colorsys import rgb_to_hls
from datetime import UTC, datetime

import plotly.graph_objects as go
import pytest
from api_models import ClassAppearance, Count, FruitFreshness, Point
from charts.appearance import appearance_by_class
from charts.bars import class_bars, probability_bars
from charts.curves import precision_recall_curves, roc_curves
from charts.insights import class_balance, embedding_map, fresh_against_rotten
from charts.report import confusion, found_bars, slice_intervals
from charts.retraining import Pair, new_photos, recall_pairs
from charts.service import class_mix
from charts.style import HIGHLIGHT, LEVELS, class_style
from stored_models import MetricSlice, PrecisionRecallCurve, RocCurve

from tests.ui.fake_insights import APPEARANCE

ROC = RocCurve(false_positive_rate=[0, 1], true_positive_rate=[0, 1], auc=0.9)
RECALL = PrecisionRecallCurve(recall=[1, 0], precision=[0.5, 1], average_precision=0.9)
START = [datetime(2026, 11, 21, tzinfo=UTC)]
FRUITS = ("apples", "banana", "oranges", "mango", "kiwi", "pears", "tomatoes", "grapes", "plum")
ROTTEN = MetricSlice(
    by="freshness",
    part="rotten",
    files=3,
    photographs=3,
    accuracy=0.9,
    accuracy_interval_95=(0.8, 1.0),
)
BY_SPLIT = [
    Count(class_name="rottenapples", origin="upload", split=split, examples=3)
    for split in ("train", "validation", "test")
]
NAMES = [f"{state}{fruit}" for state in ("fresh", "rotten", "") for fruit in FRUITS]


def appearances(names: list[str]) -> list[ClassAppearance]:
    return [
        ClassAppearance.model_validate({"class_name": name, "examples": 3, **APPEARANCE})
        for name in names
    ]


def points(names: list[str]) -> list[Point]:
    given = {"x": 0, "y": 0, "photograph": "p", "split": "train", "origin": "upload"}
    return [Point.model_validate({"class_name": name, **given}) for name in names]


CHARTS = {
    "one photo": lambda names: probability_bars(dict.fromkeys(names, 0.1), names[-1]),
    "batch": lambda names: class_bars(dict.fromkeys(names, 3)),
    "over time": lambda names: class_mix(START, [dict.fromkeys(names, 3)], 900),
    "new photos": lambda names: new_photos(dict.fromkeys(names, 3)),
    "brightness": lambda names: appearance_by_class(appearances(names), "brightness"),
    "hue": lambda names: appearance_by_class(appearances(names), "hue"),
    "roc": lambda names: roc_curves(dict.fromkeys(names, ROC)),
    "precision": lambda names: precision_recall_curves(dict.fromkeys(names, RECALL)),
    "map": lambda names: embedding_map(points(names)),
}

# Charts whose rows are classes or levels but whose colours mean something else.
OF_ROWS = {
    "confusion": confusion([[3, 0], [0, 3]], ["freshapples", "rottenapples"]),
    "current and new": recall_pairs({"rottenapples": Pair(3, 2, 3)}),
    "slices": slice_intervals([ROTTEN]),
    "found": found_bars({"Rotten apple": 0.9}),
    "balance": class_balance(BY_SPLIT),
}


def hue(colour: str) -> float:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 360 * rgb_to_hls(red, green, blue)[0]


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("others", [["freshapples"], ["a", "freshapples", "kiwi"]], ids=len)
def test_class_has_its_colour_in_every_chart(chart: str, others: list[str]) -> None:
    figure: go.Figure = CHARTS[chart]([*others, "rottenbanana"])

    assert class_style("rottenbanana").colour in figure.to_json()


def test_every_class_has_a_colour_of_its_own() -> None:
    assert len({class_style(name).colour for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("rotten")])
def test_rotten_is_never_green_and_fresh_always(name: str) -> None:
    assert not 60 < hue(class_style(name).colour) < 185
    assert 90 < hue(class_style(name.replace("rotten", "fresh")).colour) < 180


@pytest.mark.parametrize("chart", OF_ROWS.values(), ids=OF_ROWS)
def test_row_of_a_rotten_class_is_not_green(chart: go.Figure) -> None:
    green = [str(int(HIGHLIGHT[k : k + 2], 16)) for k in (1, 3, 5)]
    drawn = chart.to_json()

    assert HIGHLIGHT not in drawn
    assert ", ".join(green) not in drawn


def test_levels_are_green_yellow_and_orange() -> None:
    fresh, past_best, rotten = (hue(LEVELS[level].colour) for level in LEVELS)

    assert 90 < fresh < 180
    assert rotten < past_best < 60


def test_fresh_against_rotten_has_the_colours_of_the_levels() -> None:
    apples = FruitFreshness(fruit="apple", fresh=2, rotten=1)
    drawn = {bars.name: bars.marker.color for bars in fresh_against_rotten(2, 1, [apples]).data}

    assert drawn == {"Fresh": LEVELS["fresh"].colour, "Rotten": LEVELS["rotten"].colour}
