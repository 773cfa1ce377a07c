"""What a file name says of the photograph in it.

Published sets often hold one photograph many times, saved again rotated, flipped or speckled, and
say so in the name. The part that stays the same names the photograph.
"""

import re
from pathlib import PurePath

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
