"""The chart of a batch: its classes in order, strangers muted, many classes cut."""

from charts.batch import class_bars
from charts.colours import HIGHLIGHT, MUTED


def test_classes_stand_in_words_and_strangers_are_muted() -> None:
    [bars] = class_bars({"freshapples": 7, None: 2}).data

    assert bars.y == ("Fresh apple", "Not known")
    assert bars.x == (7, 2)
    assert bars.marker.color == (HIGHLIGHT, MUTED)


def test_classes_that_read_alike_keep_their_own_bars() -> None:
    [bars] = class_bars({"freshapples": 2, "fresh_apple": 1}).data

    assert len(set(bars.y)) == 2


def test_the_rest_of_many_classes_shares_a_bar() -> None:
    [bars] = class_bars({f"fruit {n:02}": 40 - n for n in range(40)}).data

    assert len(bars.y) == 12
    assert bars.y[-1] == "29 other classes"
    assert sum(bars.x) == sum(range(1, 41))
