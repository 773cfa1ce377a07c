"""Names that a person would mistake for each other: "Fresh Apples" and `freshapples`.

A small part of Unicode's confusables (Unicode Technical Standard 39, "Security Mechanisms"): the
letters of other alphabets that look like Latin ones, and the Latin ones that look alike.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Letters by the Latin letter that they look like, all in lower case.
_LATIN_TWINS = {
    "a": "\u0430\u03b1\u0251",
    "b": "\u0432\u044c\u03b2",
    "c": "\u0441\u03f2\u1d04",
    "d": "\u0501\u0111",
    "e": "\u0435\u0454\u03b5\u0259",
    "g": "\u0581\u0261",
    "h": "\u043d\u04bb\u0570",
    "i": "\u0456\u03b9\u0131\u0269",
    "j": "\u0458\u03f3",
    "k": "\u043a\u03ba",
    "l": "\u04cf\u0142",
    "m": "\u043c\u03bc",
    "n": "\u043f\u03b7\u0578",
    "o": "\u043e\u03bf\u03c3\u0585\u00f8",
    "p": "\u0440\u03c1",
    "q": "\u051b\u0566",
    "r": "\u0433\u1d26",
    "s": "\u0455\ua731",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d\u028b",
    "v": "\u03bd\u0475",
    "w": "\u051d\u03c9\u0461",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3\u04af",
    "z": "\u03b6\u1d22",
}
_TO_LATIN = str.maketrans(
    {twin: letter for letter, twins in _LATIN_TWINS.items() for twin in twins}
)
# Alike in many fonts, or when typed as capitals.
_ALIKE = str.maketrans({"i": "l", "1": "l", "0": "o"})
_PAIRS = (("rn", "m"), ("vv", "w"))
# Words that a class name may also end with: "apples fresh" is `freshapples`.
LEVEL_WORDS = ("fresh", "overripe", "rotten")
# Alphabets with letters that look like those of another. A word should use only one of them.
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
# Invisible, but letters, marks or symbols by their category: fillers and variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs")


def find_look_alike(name: str, known: Iterable[str]) -> str | None:
    """The first of the `known` names, sorted, that looks like `name` but is not the same."""
    key = _key(name)
    return next((other for other in sorted(known) if other != name and _key(other) == key), None)


def mixed_alphabets(name: str) -> tuple[str, ...]:
    """The alphabets of the first word that mixes several, such as Latin and Cyrillic."""
    for word in name.replace("_", " ").split():
        used = {alphabet for letter in word if (alphabet := _alphabet(letter))}
        if len(used) > 1:
            return tuple(alphabet.capitalize() for alphabet in _ALPHABETS if alphabet in used)
    return ()


def first_invisible(text: str) -> str | None:
    """The first invisible character: a format or control character, or a filler.

    White space does not count.
    """
    return next((letter for letter in text if _is_invisible(letter)), None)


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """Equal for names that look alike: one alphabet, no accents, no separators, the level first,
    singular."""
    latin = unicodedata.normalize("NFKC", name).casefold().translate(_TO_LATIN)
    base = "".join(_without_accents(latin))
    key = "".join(filter(_is_kept, base)).translate(_TO_LATIN).translate(_ALIKE)
    for pair, letter in _PAIRS:
        key = key.replace(pair, letter)
    for level in (word.translate(_ALIKE) for word in LEVEL_WORDS):
        fruit = key.removesuffix(level)
        if fruit not in ("", key):
            return level + _singular(fruit)
    return _singular(key)


def _without_accents(text: str) -> Iterable[str]:
    """Only accents of these alphabets are dropped: in others, as in Hindi, a mark is a vowel."""
    after_letter = False
    for letter in unicodedata.normalize("NFD", text):
        if unicodedata.category(letter) == "Mn" and after_letter:
            continue
        after_letter = _alphabet(letter) is not None
        yield letter


def _singular(key: str) -> str:
    if key.endswith(("oes", "ches", "shes")):
        return key[:-2]
    if key.endswith("y"):  # `_ALIKE` turns "cherries" into "cherrles".
        return f"{key[:-1]}le"
    return key[:-1] if key.endswith("s") and not key.endswith("ss") else key


def _is_kept(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


@lru_cache(maxsize=4096)
def _alphabet(letter: str) -> str | None:
    if not letter.isalpha():
        return None
    first = unicodedata.name(letter, "").partition(" ")[0]
    return first if first in _ALPHABETS else None


def _is_invisible(letter: str) -> bool:
    if letter.isspace():
        return False
    return unicodedata.category(letter) in _HIDDEN_CATEGORIES or bool(_BLANK.match(letter))
