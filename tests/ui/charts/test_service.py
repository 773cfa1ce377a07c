"""Class mix, confidence and versions over time."""

from datetime import datetime, timedelta

from charts.service import Span, class_mix, mean_confidence, version_timeline
from charts.style import HIGHLIGHT, MUTED

NOON = datetime(2026, 11, 21, 12)
STARTS = [NOON, NOON + timedelta(minutes=15)]


def test_each_class_has_a_bar_series() -> None:
    figure = class_mix(STARTS, [{"freshapples": 3, "kiwi": 1}, {"kiwi": 2}], 900)

    apples, kiwi = figure.data
    assert (apples.name, apples.y) == ("Fresh apple", (3, 0))
    assert (kiwi.name, kiwi.y) == ("Kiwi", (1, 2))
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.range == (NOON, NOON + timedelta(minutes=30))


def test_rarest_classes_share_a_colour() -> None:
    counts = {f"fruit {n:02}": 100 - n for n in range(8 + 2)}

    figure = class_mix(STARTS[:1], [counts], 900)

    assert len(figure.data) == 8 + 1
    assert figure.data[-1].name == "Other classes"
    assert figure.data[-1].y == (100 - 8 + 100 - 9,)


def test_confidence_is_drawn_mid_slice_with_gaps() -> None:
    figure = mean_confidence(STARTS, [0.9, None], 900)

    [line] = figure.data
    assert line.x[0] == NOON + timedelta(minutes=7.5)
    assert line.y == (90.0, None)
    assert line.text == ("90.0 %", "")
    assert not line.connectgaps
    low, high = figure.layout.yaxis.range
    assert 45 < low < 50
    assert 100 < high < 105


def test_axis_includes_low_confidence() -> None:
    assert mean_confidence(STARTS, [0.3, 0.9], 900).layout.yaxis.range[0] < 30


def test_no_slices_make_an_empty_chart() -> None:
    assert class_mix([], [], 900).data == ()
    assert mean_confidence([], [], 900).layout.xaxis.range is None


def test_each_version_has_a_row_with_the_newest_on_top() -> None:
    hour = timedelta(hours=1)
    spans = [
        Span("a", NOON, NOON + hour, "the first one"),
        Span("b", NOON + hour, NOON + 2 * hour, "passed the gate"),
        Span("a", NOON + 2 * hour, NOON + 3 * hour, "rolled back"),
    ]

    figure = version_timeline(spans)

    assert [bar.y[0] for bar in figure.data] == [0, 1, 0]
    assert [bar.line.color for bar in figure.data] == [MUTED, MUTED, HIGHLIGHT]
    assert [note.text for note in figure.layout.annotations] == ["a", "b"]
    assert figure.data[2].text[0] == "a: rolled back, 21 Nov 14:00"
