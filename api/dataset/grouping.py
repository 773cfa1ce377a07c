"""Which files hold the same photograph.

Two ways, joined: the name (`naming`), and the look (`hashing.near_pairs`) where names say nothing
or hide it. A photograph is known by a name `class/stem`, which the files of an index keep.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from api.dataset.naming import photograph_name
from api.imaging.hashing import near_pairs


def group_photographs(
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
