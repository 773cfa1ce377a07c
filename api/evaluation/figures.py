"""Every figure of a grader on files of class folders, put together; JSON-ready."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.dataset.folder import PhotoFile
from api.evaluation.curves import precision_recall_curves, reliability, roc_curves
from api.evaluation.evaluate import evaluate
from api.evaluation.mistakes import worst_mistakes
from api.evaluation.slices import slices, traits
from api.training.calibrate import expected_calibration_error


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
