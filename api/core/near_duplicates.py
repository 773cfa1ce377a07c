"""Grouping of files that are copies of one photo, by name and by perceptual hash.

Published datasets often contain a photo many times: rotated, flipped, or with noise. A group is
named `class/stem` after one of its files, and is stored with each of them.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from api.core.formatting import clean_line
from api.core.imaging.hashing import near_pairs

MAX_NAME = 255
_SAVED_COPY = re.compile(
    r"^(rotated_by_\d+|vertical_flip|horizontal_flip|translation|saltandpepper)_", re.IGNORECASE
)


def original_name(file_name: str) -> str:
    """The file name without folder, extension and prefixes of an augmented copy."""
    stem = PurePath(file_name).stem
    while match := _SAVED_COPY.match(stem):
        stem = stem[match.end() :]
    return stem


def saved_rotation(file_name: str) -> int:
    """The angle in degrees that the name of a rotated copy gives; 0 without one."""
    match = re.match(r"^rotated_by_(\d{1,3})_", PurePath(file_name).name, re.IGNORECASE)
    return int(match[1]) if match else 0


def is_saved_copy(file_name: str) -> bool:
    """Whether the name has the prefix of an augmented copy."""
    return _SAVED_COPY.match(PurePath(file_name).name) is not None


def safe_filename(file_name: str) -> str:
    """The name without folders and control characters, its last 255 characters."""
    return clean_line(re.split(r"[/\\]", file_name)[-1])[-MAX_NAME:] or "photograph"


def group_near_duplicates(
    files: Sequence[str],
    classes: Sequence[str],
    signatures: NDArray[np.uint8],
    known: Mapping[str, str] | None = None,
) -> list[str]:
    """The group of each file.

    `files` are paths, `classes` their classes, `signatures` uint8 [n, 80]. Files in `known` keep
    their group, and near-duplicates of them join it; a new group is named after the first of its
    names in sorted order.
    """
    known = known or {}
    own = [f"{name}/{original_name(file)}" for file, name in zip(files, classes, strict=True)]
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
