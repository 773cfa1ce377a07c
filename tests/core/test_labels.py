"""Parsing and normalising class names."""

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from api.core.labels import (
    CLASS_NAME_PATTERN,
    LEVELS,
    Label,
    Level,
    normalise_class_name,
    read_label,
)
from api.core.look_alikes import first_invisible


@pytest.mark.parametrize(
    ("name", "fruit", "freshness", "words"),
    [
        ("freshapples", "apple", "fresh", "fresh apple"),
        ("rottenoranges", "orange", "rotten", "rotten orange"),
        ("rotten_banana", "banana", "rotten", "rotten banana"),
        ("Fresh Passion-Fruit", "passion fruit", "fresh", "fresh passion fruit"),
        ("freshcherries", "cherry", "fresh", "fresh cherry"),
        ("rotten-peaches", "peach", "rotten", "rotten peach"),
        ("freshmangoes", "mango", "fresh", "fresh mango"),
        ("freshwatercress", "watercress", "fresh", "fresh watercress"),
        ("mango", "mango", None, "mango"),
        ("my_dragon-fruit", "my dragon fruit", None, "my dragon fruit"),
        ("fresh", "fresh", None, "fresh"),
        ("unfresh apples", "unfresh apples", None, "unfresh apples"),
        ("overripebananas", "banana", "fresh", "overripe banana"),
        ("overripe", "overripe", None, "overripe"),
    ],
)
def test_class_name_is_parsed(name: str, fruit: str, freshness: str | None, words: str) -> None:
    label = read_label(name)
    assert (label.fruit, label.freshness, label.words) == (fruit, freshness, words)
    assert isinstance(label, Label)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("freshbanana", "fresh"),
        ("Overripe Banana", "past_best"),
        ("rottenbanana", "rotten"),
        ("banana", None),
    ],
)
def test_class_name_gives_the_level(name: str, level: Level | None) -> None:
    assert read_label(name) == Label("banana", level)
    assert level is None or level in LEVELS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("freshapples", "freshapples"),
        ("  Fresh Apples ", "fresh_apples"),
        ("rotten--banana!", "rotten_banana"),
        ("../../etc", "etc"),
        ("Äpfel, grün", "äpfel_grün"),
        ("pe\u0302ches", "p\u00eaches"),
        (
            "\u0924\u093e\u091c\u093e \u0938\u0947\u092c",
            "\u0924\u093e\u091c\u093e_\u0938\u0947\u092c",
        ),
        ("x" * 100, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_normalising_is_idempotent(text: str, name: str) -> None:
    assert normalise_class_name(text) == name
    assert normalise_class_name(name) == name


@pytest.mark.parametrize("text", ["", "  ", "...", "___", "!?/", "\u0301", "\0"])
def test_name_of_symbols_only_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="letter or digit"):
        normalise_class_name(text)


def test_described_pattern_says_which_characters_are_refused() -> None:
    """Checks all characters up to U+FFFF except surrogates, and four fillers that are letters by
    category."""
    described = TypeAdapter(Annotated[str, Field(pattern=CLASS_NAME_PATTERN)])
    texts = [f"a{chr(code)}" for code in range(0x10000) if not 0xD800 <= code < 0xE000]

    def refused(text: str) -> bool:
        try:
            described.validate_python(text)
        except ValidationError:
            return True
        return False

    wrong = [text[1:] for text in texts if refused(text) != bool(first_invisible(text))]
    assert wrong == ["\u115f", "\u1160", "\u3164", "\uffa0"]
    assert refused("...")
    assert not refused("\N{CJK UNIFIED IDEOGRAPH-679C}")
