"""Human-readable labels and numbers."""

import pytest
from formatting import (
    class_label,
    class_labels,
    duration,
    fruit_and_freshness,
    level_label,
    list_names,
    mode_label,
    percent,
    pluralize,
    rough_duration,
    use_label,
    verdict_in_words,
    with_class_labels,
)
from plain_text import as_markdown


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("freshapples", "Fresh apple"),
        ("rottenbanana", "Rotten banana"),
        ("overripemangoes", "Overripe mango"),
        ("Fresh_Oranges", "Fresh Orange"),
        ("rotten-strawberries", "Rotten strawberry"),
        ("fresh_tomatoes", "Fresh tomato"),
        ("dragon_fruit", "Dragon fruit"),
        ("fresh", "Fresh"),
    ],
)
def test_class_has_a_label(class_name: str, expected: str) -> None:
    assert class_label(class_name) == expected


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("rottenapples", ("apple", "rotten")),
        ("fresh_tomatoes", ("tomato", "fresh")),
        ("overripemangoes", ("mango", None)),
        ("dragon_fruit", ("dragon fruit", None)),
    ],
)
def test_class_is_a_fruit_and_its_freshness(
    class_name: str, expected: tuple[str, str | None]
) -> None:
    assert fruit_and_freshness(class_name) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.9731, "97.3 %"),
        (1.0, "100.0 %"),
        (0.99996, "over 99.9 %"),
        (0.0, "0.0 %"),
        (0.00001, "under 0.1 %"),
    ],
)
def test_percent_is_never_rounded_to_0_or_100(share: float, expected: str) -> None:
    assert percent(share) == expected


@pytest.mark.parametrize("share", [0, 1e-9, 0.0004, 0.5, 0.9991, 1 - 1e-9, 1])
def test_percentage_is_not_markdown(share: float) -> None:
    assert as_markdown(percent(share)) == percent(share)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "0 s"),
        (42.9, "42 s"),
        (61, "1 min 1 s"),
        (900, "15 min"),
        (12345, "3 h 25 min"),
        (90000, "1 d 1 h"),
        (86460, "1 d"),
    ],
)
def test_duration_has_its_two_largest_units(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_classes_with_the_same_label_keep_their_names() -> None:
    assert class_labels(["freshapples", "fresh_apple", "kiwi"]) == {
        "freshapples": "Fresh apple (freshapples)",
        "fresh_apple": "Fresh apple (fresh_apple)",
        "kiwi": "Kiwi",
    }


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3.2, "a few seconds"),
        (11.6, "about 10 seconds"),
        (88, "about 90 seconds"),
        (95, "about 2 minutes"),
        (546, "about 9 minutes"),
        (7000, "about 2 hours"),
    ],
)
def test_rough_duration_is_rounded(seconds: float, expected: str) -> None:
    assert rough_duration(seconds) == expected


def test_pluralize() -> None:
    assert pluralize(1, "photograph") == "1 photograph"
    assert pluralize(1200, "photograph") == "1,200 photographs"
    assert pluralize(2, "class") == "2 classes"


@pytest.mark.parametrize(
    ("level", "expected"),
    [("fresh", "Fresh"), ("past_best", "Past its best"), ("rotten", "Rotten"), ("so_so", "So so")],
)
def test_levels_have_labels(level: str, expected: str) -> None:
    assert level_label(level) == expected


def test_class_names_in_messages_become_labels() -> None:
    message = "It is worse on rottenbanana and rotten_b, not on freshbananas."

    assert with_class_labels(message, ["rotten_b", "rottenbanana", "freshbanana"]) == (
        "It is worse on Rotten banana and Rotten b, not on freshbananas."
    )
    assert with_class_labels(message, []) == message


def test_modes_have_labels() -> None:
    assert [mode_label(mode) for mode in ("fast", "full", "detector", "shipped")] == [
        "Quick",
        "Thorough",
        "Finding fruit",
        "Shipped",
    ]


@pytest.mark.parametrize(
    ("nouns", "expected"),
    [
        (["apple"], "apples"),
        (["apple", "banana"], "apples and bananas"),
        (["apple", "banana", "cherry"], "apples, bananas and cherries"),
        (list("abcdefg"), "as, bs, cs, ds, es and 2 more"),
    ],
)
def test_names_are_listed(nouns: list[str], expected: str) -> None:
    assert list_names(nouns) == expected


def test_split_is_labelled_by_its_use() -> None:
    uses = [use_label(split) for split in ("train", "validation", "test", "other")]
    assert uses == ["To learn from", "To tune on", "To measure on", "Other"]


def test_reasons_of_the_checks_are_in_a_graders_words() -> None:
    reason = "The candidate does not know freshbanana, which the champion knows."
    assert verdict_in_words(reason, ["freshbanana"]) == (
        "The new model does not know Fresh banana, which the current model knows."
    )
    waits = "It passed all checks, and waits for a person to promote it."
    assert verdict_in_words(waits, []) == waits.replace("promote it", "put it in use")
