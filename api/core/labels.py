"""Class names: the fruit and the freshness level that they name, and which names are accepted.

Any name may be a class. `freshapples`, `overripe_mango` and `rotten_banana` name a fruit and a
freshness level, `mango` only a fruit.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from api.core.errors import ConflictError, UnprocessableError
from api.core.look_alikes import LEVEL_WORDS, find_look_alike, first_invisible, mixed_alphabets

Freshness = Literal["fresh", "rotten"]
Level = Literal["fresh", "past_best", "rotten"]

LEVELS: tuple[Level, ...] = ("fresh", "past_best", "rotten")
# In words. None is for what was not recognised.
LEVEL_NAMES: dict[Level | None, str] = {
    "fresh": "fresh",
    "past_best": "past its best",
    "rotten": "rotten",
    None: "not known",
}
# Levels as numbers, from worst to best.
UNKNOWN, ROTTEN, PAST_BEST, FRESH = -1, 0, 1, 2
_NUMBERS: dict[Level, int] = {"rotten": ROTTEN, "past_best": PAST_BEST, "fresh": FRESH}
_PREFIXES: dict[str, Level] = dict(zip(LEVEL_WORDS, LEVELS, strict=True))
_IN_WORDS = {level: prefix for prefix, level in _PREFIXES.items()}
_GRADED = re.compile(rf"^({'|'.join(_PREFIXES)})[\s_-]*(\S.*)$")
_MAX_LENGTH = 64

# Prefix of folders of OOD images, so no class may have it.
OOD_PREFIX = "not_"
# What `look_alikes.first_invisible` finds, up to U+FFFF: every regex dialect reads these escapes.
_INVISIBLE = (
    r"\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f"
    r"\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    r"\u2066-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
# For OpenAPI: a letter or a digit of any script, and no invisible characters.
CLASS_NAME_PATTERN = rf"^[^{_INVISIBLE}]*(\p{{L}}|\p{{N}})[^{_INVISIBLE}]*$"
# A class name in a request; `accepted_class_name` checks it, with a better message.
ClassName = Annotated[
    str,
    Field(
        description="Class name: at least one letter or digit of any script, and no invisible "
        "characters. Where a new class is allowed, a name that resembles that of a known class "
        "needs `new_class=true`.",
        json_schema_extra={"pattern": CLASS_NAME_PATTERN},
    ),
]


# Whether a new class is meant although its name looks like that of a known one.
NewClass = Annotated[
    bool,
    Field(
        strict=True, description="Accept a new class whose name resembles that of a known class."
    ),
]


class BadClassNameError(UnprocessableError):
    code = "bad-class-name"


class SimilarClassError(ConflictError):
    """A new class that may be a known one."""

    code = "similar-class"


class MixedAlphabetsError(ConflictError):
    code = "mixed-alphabets"


class InvisibleCharacterError(ConflictError, ValueError):
    """The name looks the same as without the character."""

    code = "invisible-character"

    def __init__(self, character: str) -> None:
        name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
        super().__init__(
            f"The class name has an invisible character ({name}). Type the name without it."
        )


@dataclass(frozen=True)
class Label:
    """A parsed class name. `level` is None where it names none."""

    fruit: str
    level: Level | None

    @property
    def freshness(self) -> Freshness | None:
        """The level as one of two; past its best counts as fresh."""
        if self.level is None:
            return None
        return "rotten" if self.level == "rotten" else "fresh"

    @property
    def words(self) -> str:
        return f"{_IN_WORDS[self.level]} {self.fruit}" if self.level else self.fruit


@lru_cache(maxsize=4096)
def read_label(class_name: str) -> Label:
    """Parse a class name: `rottenoranges` is a rotten orange, `mango` a mango.

    With a level, the fruit is put in the singular.
    """
    name = class_name.strip().lower()
    match = _GRADED.match(name)
    if match is None:
        return Label(_words(name), None)
    return Label(_singular(_words(match[2])), _PREFIXES[match[1]])


def fruits_of(class_name: str) -> set[str]:
    """The names that a box or a folder may use for the fruit of a class: `apples` and `apple`."""
    label = read_label(class_name)
    return {label.fruit, read_label(f"fresh {label.fruit}").fruit}


def level_number(level: Level | None) -> int:
    """ROTTEN, PAST_BEST or FRESH; UNKNOWN for None."""
    return UNKNOWN if level is None else _NUMBERS[level]


def normalise_class_name(text: str) -> str:
    """The class name for a folder's name or a person's text.

    NFKC, lower case, runs of spaces and symbols become one underscore, at most 64 characters.
    Raises ValueError for text without a letter or digit, and InvisibleCharacterError (also a
    ValueError) for an invisible character.
    """
    # Lowercasing may decompose a letter again.
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    words = "".join(letter if _is_word_character(letter) else " " for letter in letters).split()
    name = "_".join(words)[:_MAX_LENGTH].strip("_")
    if not any(letter.isalnum() for letter in name):
        raise ValueError("A class name needs at least one letter or digit.")
    if invisible := first_invisible(text):
        raise InvisibleCharacterError(invisible)
    return name


def accepted_class_name(text: str) -> str:
    """The normalised class name; it need not exist yet.

    Raises BadClassNameError or InvisibleCharacterError.
    """
    try:
        name = normalise_class_name(text)
    except InvisibleCharacterError:
        raise
    except ValueError as error:
        raise BadClassNameError(str(error)) from None
    if name.startswith(OOD_PREFIX):
        raise BadClassNameError(
            f"Names that begin with '{OOD_PREFIX}' are for photographs of things that should not "
            "be recognised. Give the class another name."
        )
    return name


def accepted_new_class(text: str, known: Collection[str]) -> str:
    """As `accepted_class_name`, for a name that may be new: not in `known`.

    Raises SimilarClassError if it looks like a known one, MixedAlphabetsError if one of its words
    mixes alphabets whose letters look alike.
    """
    name = accepted_class_name(text)
    if name in known:
        return name
    if similar := find_look_alike(name, known):
        raise SimilarClassError(
            f"The class '{name}' is new, and its name looks like that of the known class "
            f"'{similar}'. If you mean that one, name '{similar}'. If it is a different class, "
            "send it again with new_class=true (in a command: --new-class)."
        )
    if mixed := mixed_alphabets(name):
        raise MixedAlphabetsError(
            f"The class '{name}' is new, and one word of it has {' and '.join(mixed)} letters. "
            "Type it in one alphabet. If this is intended, send it again with new_class=true (in "
            "a command: --new-class)."
        )
    return name


def _is_word_character(letter: str) -> bool:
    """Letters, digits, and combining marks, as in Hindi."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _words(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip()


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith(("oes", "ches", "shes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
