"""Class names in words: which fruit, and how fresh.

Any class name is welcome. `freshapples`, `overripe_mango` and `rotten_banana` also say a fruit and
a level of freshness; `mango` says only what it is.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Freshness = Literal["fresh", "rotten"]
# What is past its best is good to eat, as what is fresh.
Level = Literal["fresh", "past_best", "rotten"]

LEVELS: tuple[Level, ...] = ("fresh", "past_best", "rotten")
# Levels as numbers, in the order of freshness.
UNKNOWN, ROTTEN, PAST_BEST, FRESH = -1, 0, 1, 2
_NUMBERS: dict[Level, int] = {"rotten": ROTTEN, "past_best": PAST_BEST, "fresh": FRESH}
_PREFIXES: dict[str, Level] = {"fresh": "fresh", "overripe": "past_best", "rotten": "rotten"}
_IN_WORDS = {level: prefix for prefix, level in _PREFIXES.items()}
_GRADED = re.compile(rf"^({'|'.join(_PREFIXES)})[\s_-]*(\S.*)$")
_MAX_LENGTH = 64


@dataclass(frozen=True)
class Label:
    """What a class name says. `level` is None where the name does not speak of freshness."""

    fruit: str
    level: Level | None

    @property
    def freshness(self) -> Freshness | None:
        """The level as one of two: what is past its best counts as fresh."""
        if self.level is None:
            return None
        return "rotten" if self.level == "rotten" else "fresh"

    @property
    def words(self) -> str:
        return f"{_IN_WORDS[self.level]} {self.fruit}" if self.level else self.fruit


@lru_cache(maxsize=4096)
def read_label(class_name: str) -> Label:
    """Read a class name: `rottenoranges` is a rotten orange, `mango` a mango.

    After a level the fruit is in the singular; a name without one stays as it is.
    """
    name = class_name.strip().lower()
    match = _GRADED.match(name)
    if match is None:
        return Label(_words(name), None)
    return Label(_singular(_words(match[2])), _PREFIXES[match[1]])


def fruits_of(class_name: str) -> set[str]:
    """How a box or a folder may call the fruit of a class: `apples` or `apple`."""
    label = read_label(class_name)
    return {label.fruit, read_label(f"fresh {label.fruit}").fruit}


def level_number(level: Level | None) -> int:
    """ROTTEN, PAST_BEST or FRESH; UNKNOWN for none."""
    return UNKNOWN if level is None else _NUMBERS[level]


def normalise_class_name(text: str) -> str:
    """The class name that a folder or a person's wording stands for.

    Lower case, spaces and signs as one underscore, at most 64 characters. Raises ValueError for a
    text without a letter or digit.
    """
    # Composed, since the names of folders come decomposed from some systems.
    letters = unicodedata.normalize("NFC", text).lower()
    words = "".join(letter if _is_of_a_word(letter) else " " for letter in letters).split()
    name = "_".join(words)[:_MAX_LENGTH].strip("_")
    if not any(letter.isalnum() for letter in name):
        raise ValueError("A class name needs at least one letter or digit.")
    return name


def _is_of_a_word(letter: str) -> bool:
    """A letter, a digit, or a mark that belongs to the letter before it, as in Hindi."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _words(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip()


def _singular(noun: str) -> str:
    if noun.endswith(("ies",)):
        return f"{noun[:-3]}y"
    if noun.endswith(("oes", "ches", "shes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
