"""The probability chart: sorted, in words, one bar highlighted."""

import pytest
from charts.colours import HIGHLIGHT, MUTED
from charts.predictions import probability_bars

PROBABILITIES = {"rottenapples": 0.3, "freshapples": 0.6996, "dragon_fruit": 0.0004}


def test_the_likeliest_class_stands_on_top_in_words() -> None:
    figure = probability_bars(PROBABILITIES, "freshapples")

    [bars] = figure.data
    assert bars.y == ("freshapples", "rottenapples", "dragon_fruit")
    assert figure.layout.yaxis.ticktext == ("Fresh apple", "Rotten apple", "Dragon fruit")
    assert bars.x == (0.6996, 0.3, 0.0004)
    assert bars.text == ("70.0 %", "30.0 %", "< 0.1 %")
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize(
    ("highlighted", "colours"),
    [("rottenapples", (MUTED, HIGHLIGHT, MUTED)), (None, (MUTED, MUTED, MUTED))],
)
def test_only_the_named_class_is_highlighted(
    highlighted: str | None, colours: tuple[str, ...]
) -> None:
    [bars] = probability_bars(PROBABILITIES, highlighted).data

    assert bars.marker.color == colours


def test_classes_that_read_alike_keep_their_own_bars() -> None:
    figure = probability_bars({"fresh_apple": 0.6, "freshapples": 0.3, "7": 0.1}, None)

    assert figure.data[0].y == ("fresh_apple", "freshapples", "7")
    assert figure.layout.yaxis.type == "category"


def test_many_classes_are_cut_to_the_likeliest_twelve() -> None:
    figure = probability_bars({f"fruit {n:02}": n / 1000 for n in range(40)}, None)

    assert len(figure.data[0].y) == 12
    assert figure.data[0].y[0] == "fruit 39"


def test_the_chart_grows_with_its_bars() -> None:
    few = probability_bars({"mango": 1.0}, "mango")
    more = probability_bars(PROBABILITIES, None)

    assert few.layout.height < more.layout.height
