"""Every figure of a grader on files of class folders, put together; JSON-ready.

Beside the headline: its accuracy by fruit, file size and brightness, and where it was wrong and
surest of it.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.core.appearance import appearance
from api.core.calibration import expected_calibration_error
from api.core.imaging.decode import decode
from api.core.labels import read_label
from api.core.metrics import evaluate, share
from api.evaluation.curves import precision_recall_curves, reliability, roc_curves
from api.training.class_folders import PhotoFile

MOST = 12


def figures(
    split: str,
    root: Path,
    files: Sequence[PhotoFile],
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    *,
    uncalibrated: NDArray[np.float32],
) -> dict[str, Any]:
    """All that can be said of `probabilities` [n, classes] for the n files of `split`, in words.

    `uncalibrated` [n, classes] are the same without temperature.
    """
    labels = np.array([classes.index(file.class_name) for file in files])
    photographs = [file.photograph for file in files]
    correct = probabilities.argmax(axis=1) == labels
    return {
        "split": split,
        **evaluate(probabilities, labels, classes, photographs),
        "expected_calibration_error_before_scaling": expected_calibration_error(
            uncalibrated, labels
        ),
        "reliability": reliability(probabilities, labels),
        "roc": roc_curves(probabilities, labels, classes),
        "precision_recall": precision_recall_curves(probabilities, labels, classes),
        "slices": slices(correct, photographs, traits(root, files)),
        "worst_mistakes": worst_mistakes(probabilities, labels, classes, files),
    }


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


def worst_mistakes(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    files: Sequence[PhotoFile],
) -> list[dict[str, Any]]:
    """The surest wrong answers, worst first, one file a photograph; JSON-ready.

    `probabilities` [n, classes], `labels` [n], `files` the n files behind them. `file` is relative
    to the root of the set; `copies_wrong` counts the wrong files of the same photograph.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    (wrong,) = np.nonzero(predicted != labels)
    of_photograph: dict[str, dict[str, Any]] = {}
    for k in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist():
        row = of_photograph.setdefault(
            files[k].photograph,
            {
                "file": files[k].path,
                "true": classes[labels[k]],
                "predicted": classes[predicted[k]],
                "confidence": round(float(confidence[k]), 4),
                "copies_wrong": 0,
            },
        )
        row["copies_wrong"] += 1
    return list(of_photograph.values())[:MOST]
