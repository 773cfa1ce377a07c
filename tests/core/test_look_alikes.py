"""Class names that look alike, and invisible characters."""

import pytest

from api.core.labels import (
    MixedAlphabetsError,
    SimilarClassError,
    accepted_new_class,
    normalise_class_name,
)
from api.core.look_alikes import find_look_alike, mixed_alphabets

# "freshapples" in full-width letters.
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "freshapples")
KNOWN = {"freshapples", "rottenapples", "grade_1", "सेब", "fresh_cherry"}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Fresh Apples", "freshapples"),
        ("FRESH-APPLE", "freshapples"),
        ("freshappIes", "freshapples"),  # A capital i.
        ("fresh\N{CYRILLIC SMALL LETTER A}pples", "freshapples"),
        ("\N{CYRILLIC SMALL LETTER GHE}ottenapples", "rottenapples"),
        ("r0ttenapples", "rottenapples"),
        ("fre\u0301sh apples", "freshapples"),
        ("Grade I", "grade_1"),
        ("fresh cherries", "fresh_cherry"),
        ("apples_fresh", "freshapples"),
        ("Apple__Rotten", "rottenapples"),
        ("Cherry (fresh)", "fresh_cherry"),
    ],
)
def test_look_alike_of_a_known_class_is_asked_about(text: str, known: str) -> None:
    with pytest.raises(SimilarClassError) as error:
        accepted_new_class(text, KNOWN)
    assert f"'{known}'" in error.value.detail
    assert "new_class=true" in error.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "freshpears",
        "overripeapples",
        "apples overripe",
        "fresh",
        "grade 2",
        "सब",
        "яблоко",
        "林檎 apple",
        "rotten яблоко",
    ],
)
def test_other_names_are_accepted(text: str) -> None:
    assert accepted_new_class(text, KNOWN) == normalise_class_name(text)


@pytest.mark.parametrize("text", ["freshapples", "FreshApples", WIDE, " freshapples "])
def test_known_class_is_known_in_any_width_and_case(text: str) -> None:
    assert accepted_new_class(text, KNOWN) == "freshapples"


def test_word_of_two_alphabets_is_asked_about() -> None:
    with pytest.raises(MixedAlphabetsError, match="Latin and Cyrillic"):
        accepted_new_class("b\N{CYRILLIC SMALL LETTER A}nana", KNOWN)
    assert mixed_alphabets("banana_яблоко") == ()


def test_first_known_look_alike_is_named() -> None:
    assert find_look_alike("fresh_apples", {"freshapple", "fresh-apples"}) == "fresh-apples"
    assert find_look_alike("kiwi", {"kiwi", "pear"}) is None


@pytest.mark.parametrize(
    "character",
    list("\u200b\u200d\u2060\ufeff\u00ad\u202e\u2066\u115f\u3164\ufe0f\U000e0041\x1b\x00"),
)
def test_character_that_is_not_seen_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match=rf"invisible character \(U\+{ord(character):04X}"):
        normalise_class_name(f"fresh{character}apples")
