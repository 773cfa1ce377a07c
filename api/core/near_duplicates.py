"""Which photograph a file holds.

Published sets often hold one photograph many times, saved again rotated, flipped or speckled. Two
ways tell, joined: the name, where it says so, and the look (`hashing.near_pairs`) where names say
nothing or hide it. A photograph is known by a name `class/stem`, which the files of an index keep.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from api.core.imaging.hashing import near_pairs

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


def group_near_duplicates(
    files: Sequence[str],
    classes: Sequence[str],
    signatures: NDArray[np.uint8],
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """Name the photograph that each file holds.

    `files` are paths, `classes` their classes, `signatures` uint8 [n, 80]; `known` gives the
    photographs of files seen before, which they keep. A new file that looks like a known one joins
    its photograph; new photographs are called after the first of their files in sorted order.
    """
    known = known or {}
    own = [
        f"{name}/{photograph_name(PurePath(file).name)}"
        for file, name in zip(files, classes, strict=True)
    ]
    parents: dict[str, str] = {name: name for name in own}

    def root(name: str) -> str:
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for i, j in near_pairs(signatures):
        first, second = sorted((root(own[i]), root(own[j])))
        parents[second] = first

    kept: dict[str, str] = {}
    for file, name in sorted(zip(files, own, strict=True)):
        if file in known:
            kept.setdefault(root(name), known[file])
    return [
        known.get(file) or kept.get(root(name), root(name))
        for file, name in zip(files, own, strict=True)
    ]
