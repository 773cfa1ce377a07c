"""What a file name says of the photograph in it.

Published sets often hold one photograph many times, saved again rotated, flipped or speckled, and
say so in the name. The part that stays the same names the photograph.
"""

import re
import unicodedata
from pathlib import PurePath

MAX_NAME = 255
_SAVED_COPY = re.compile(
    r"^(rotated_by_\d+|vertical_flip|horizontal_flip|translation|saltandpepper)_", re.IGNORECASE
)


def photograph_name(file_name: str) -> str:
    """The file name without folder, ending and the marks of a saved copy."""
    stem = PurePath(file_name).stem
    while match := _SAVED_COPY.match(stem):
        stem = stem[match.end() :]
    return stem


def is_saved_copy(file_name: str) -> bool:
    """Whether the name says that this is an altered copy of another file."""
    return _SAVED_COPY.match(PurePath(file_name).name) is not None


def plain_name(file_name: str) -> str:
    """The name without folders and without what no file name should hold, up to 255 characters."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", file_name)[-1])
    return printable(name).strip()[-MAX_NAME:] or "photograph"


def printable(text: str) -> str:
    """`text` without control characters and halves of characters, which no database takes."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(letter for letter in whole if unicodedata.category(letter) != "Cc")
