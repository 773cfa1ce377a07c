"""The worst mistakes: where the grader was wrong and surest of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.dataset.folder import PhotoFile

MOST = 12


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
