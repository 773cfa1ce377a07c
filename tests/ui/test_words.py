"""Names and figures as a person reads them."""

import pytest
from words import class_labels, class_words, duration, percent


@pytest.mark.parametrize(
    ("class_name", "words"),
    [
        ("freshapples", "Fresh apple"),
        ("rottenbanana", "Rotten banana"),
        ("Fresh_Oranges", "Fresh Orange"),
        ("rotten-strawberries", "Rotten strawberry"),
        ("fresh_tomatoes", "Fresh tomato"),
        ("dragon_fruit", "Dragon fruit"),
        ("fresh", "Fresh"),
    ],
)
def test_a_class_name_is_put_in_words(class_name: str, words: str) -> None:
    assert class_words(class_name) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.9731, "97.3 %"),
        (1.0, "100.0 %"),
        (0.99996, "> 99.9 %"),
        (0.0, "0.0 %"),
        (0.00001, "< 0.1 %"),
    ],
)
def test_only_certainty_reads_as_certainty(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(42.9, "42 s"), (61, "1 min 1 s"), (12345, "3 h 25 min"), (90000, "1 d 1 h")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_classes_that_read_alike_keep_their_names() -> None:
    assert class_labels(["freshapples", "fresh_apple", "kiwi"]) == {
        "freshapples": "Fresh apple (freshapples)",
        "fresh_apple": "Fresh apple (fresh_apple)",
        "kiwi": "Kiwi",
    }
