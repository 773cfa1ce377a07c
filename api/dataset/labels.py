"""Class names in words: which fruit, and how fresh.

Any class name is welcome. `freshapples` and `rotten_banana` also say a fruit and a freshness;
`mango` says only what it is.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Freshness = Literal["fresh", "rotten"]

_GRADED = re.compile(r"^(fresh|rotten)[\s_-]*(\S.*)$")
_MAX_LENGTH = 64


@dataclass(frozen=True)
class Label:
    """What a class name says. `freshness` is None where the name does not speak of it."""

    fruit: str
    freshness: Freshness | None

    @property
    def words(self) -> str:
        return f"{self.freshness} {self.fruit}" if self.freshness else self.fruit


@lru_cache(maxsize=4096)
def read_label(class_name: str) -> Label:
    """Read a class name: `rottenoranges` is a rotten orange, `mango` a mango."""
    name = class_name.strip().lower()
    match = _GRADED.match(name)
    if match is None:
        return Label(_words(name), None)
    freshness: Freshness = "fresh" if match[1] == "fresh" else "rotten"
    return Label(_singular(_words(match[2])), freshness)


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
