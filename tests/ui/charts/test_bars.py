"""Bars of probabilities, of a batch, and of a value against a limit."""

import re

import pytest
from charts.bars import class_bars, probability_bars, threshold_bar
from charts.style import HIGHLIGHT, MUTED, RING, WARNING, class_style
from formatting import SEVERAL

PROBABILITIES = {"rottenapples": 0.3, "freshapples": 0.6996, "dragon_fruit": 0.0004}


def test_most_likely_class_is_on_top_with_its_label() -> None:
    figure = probability_bars(PROBABILITIES, "freshapples")

    [bars] = figure.data
    assert bars.y == ("freshapples", "rottenapples", "dragon_fruit")
    assert figure.layout.yaxis.ticktext == ("Fresh apple", "Rotten apple", "Dragon fruit")
    assert bars.x == (0.6996, 0.3, 0.0004)
    assert bars.text == ("70.0 %", "30.0 %", "under 0.1 %")
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize(
    ("highlighted", "colours"),
    [
        ("freshapples", (class_style("freshapples").colour, MUTED, MUTED)),
        # Rotten is never green.
        ("rottenapples", (MUTED, class_style("rottenapples").colour, MUTED)),
        (None, (MUTED, MUTED, MUTED)),
    ],
)
def test_only_the_named_class_is_highlighted(
    highlighted: str | None, colours: tuple[str, ...]
) -> None:
    [bars] = probability_bars(PROBABILITIES, highlighted).data

    assert bars.marker.color == colours


def test_classes_with_the_same_label_keep_their_own_bars() -> None:
    figure = probability_bars({"fresh_apple": 0.6, "freshapples": 0.3, "7": 0.1}, None)

    assert figure.data[0].y == ("fresh_apple", "freshapples", "7")
    assert figure.layout.yaxis.type == "category"


def test_only_the_twelve_most_likely_classes_are_drawn() -> None:
    figure = probability_bars({f"fruit {n:02}": n / 1000 for n in range(40)}, None)

    assert len(figure.data[0].y) == 12
    assert figure.data[0].y[0] == "fruit 39"


def test_chart_grows_with_its_bars() -> None:
    few = probability_bars({"mango": 1.0}, "mango")
    more = probability_bars(PROBABILITIES, None)

    assert few.layout.height < more.layout.height


def test_classes_have_labels_and_unrecognised_photos_are_muted() -> None:
    [bars] = class_bars({"freshapples": 7, None: 2}).data

    assert bars.y == ("Fresh apple", "Not known")
    assert bars.x == (7, 2)
    assert bars.marker.color == (class_style("freshapples").colour, MUTED)


def test_classes_with_the_same_label_keep_their_own_bars_in_a_batch() -> None:
    [bars] = class_bars({"freshapples": 2, "fresh_apple": 1}).data

    assert len(set(bars.y)) == 2


def test_remaining_classes_share_one_bar() -> None:
    [bars] = class_bars({f"fruit {n:02}": 40 - n for n in range(40)}).data

    assert len(bars.y) == 12
    assert bars.y[-1] == "29 other classes"
    assert sum(bars.x) == sum(range(1, 41))


def test_photos_of_several_fruits_are_neither_good_nor_bad() -> None:
    [bars] = class_bars({SEVERAL: 2, "freshapples": 1}).data

    assert tuple(bars.marker.color) == (MUTED, class_style("freshapples").colour)


@pytest.mark.parametrize(
    ("value", "within", "beyond", "limit"),
    [
        (0.0, "0.0%", "0.0%", "80.0%"),
        (50.0, "40.0%", "40.0%", "80.0%"),
        (150.0, "63.5%", "95.2%", "63.5%"),
        # Far beyond the threshold the bar is cut so that the threshold stays visible.
        (9000.0, "25.0%", "100.0%", "25.0%"),
        (-3.0, "0.0%", "0.0%", "80.0%"),
    ],
)
def test_bar_shows_the_value_as_a_share_of_the_threshold(
    value: float, within: str, beyond: str, limit: str
) -> None:
    bar = threshold_bar(value, 100.0, "Drift: due above 100.")

    assert f"{HIGHLIGHT} {within}, {WARNING} {within} {beyond}, {MUTED} {beyond}" in bar
    assert f"{RING} {limit} calc({limit} + 3px)" in bar


def test_text_of_the_bar_cannot_leave_its_attribute() -> None:
    bar = threshold_bar(1.0, 2.0, '"><script>alert("x")</script>')

    assert re.findall(r"<(\w+)", bar) == ["div"]
