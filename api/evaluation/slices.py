"""Where a grader is good and where not: its accuracy by fruit, file size and brightness."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.dataset.appearance import appearance
from api.dataset.folder import PhotoFile
from api.dataset.labels import read_label
from api.evaluation.evaluate import share
from api.imaging.decode import decode


def traits(root: Path, files: Sequence[PhotoFile]) -> dict[str, list[str]]:
    """What the files are sliced by: the name of each trait, and its value for each file.

    Sizes and brightnesses fall into thirds of the files given. Decodes every file.
    """

    def brightness(file: PhotoFile) -> float:
        return appearance(decode((root / file.path).read_bytes()).image).brightness

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        lights = list(threads.map(brightness, files))
    return {
        "fruit": [read_label(file.class_name).fruit for file in files],
        "file size": thirds([file.bytes / 1024 for file in files], "KiB", digits=1),
        "brightness": thirds(lights, "of 1", digits=2),
    }


def thirds(values: Sequence[float], unit: str, digits: int) -> list[str]:
    """For each value the third that it falls into, in words: `up to 5.1 KiB`."""
    bounds = np.quantile(values, [1 / 3, 2 / 3])
    low, high = (f"{bound:.{digits}f}" for bound in bounds)
    names = (f"up to {low} {unit}", f"{low} to {high} {unit}", f"over {high} {unit}")
    return [names[int(k)] for k in np.searchsorted(bounds, values)]


def slices(
    correct: NDArray[np.bool_], photographs: Sequence[str], of: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """The accuracy of every slice, with its interval over photographs; JSON-ready.

    `correct` [n]; `photographs` names the photograph of each row; `of` gives, by trait, the part
    that each row belongs to.
    """
    names = np.asarray(photographs)
    rows = []
    for trait, parts in of.items():
        for part in dict.fromkeys(sorted(parts, key=_in_words_order)):
            inside = np.asarray(parts) == part
            rows.append(
                {
                    "by": trait,
                    "part": part,
                    "files": int(inside.sum()),
                    "photographs": len(set(names[inside])),
                    **share("accuracy", correct[inside], names[inside].tolist()),
                }
            )
    return rows


def _in_words_order(part: str) -> tuple[int, str]:
    """Thirds from below to above; other parts by name."""
    return (2 if part.startswith("over ") else 0 if part.startswith("up to ") else 1, part)
