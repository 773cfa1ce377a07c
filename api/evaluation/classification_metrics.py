"""Metrics on the files of class folders: headline, slices, worst errors and curves; JSON-ready."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from api.core.appearance import appearance
from api.core.calibration import BINS, confidence_bins, expected_calibration_error
from api.core.imaging.decode import decode
from api.core.labels import read_label
from api.core.metrics import evaluate, share
from api.evaluation.graded import GradedSamples
from api.training.class_folders import PhotoFile
from api.training.corpus import TrainingCorpus

MAX_ERRORS = 12
MAX_POINTS = 60
DIGITS = 4


def classification_metrics(
    split: str, corpus: TrainingCorpus, graded: GradedSamples
) -> dict[str, Any]:
    """All metrics of graded files of the class folders; `split` describes them in words."""
    files = [corpus.by_path[sample.copies[0]] for sample in graded.samples]
    probabilities, labels, classes = graded.predictions.probabilities, graded.labels, graded.classes
    photographs = graded.groups.tolist()
    traits = file_traits(corpus.listing.root, files)
    return {
        "split": split,
        **evaluate(probabilities, labels, classes, photographs),
        "expected_calibration_error_before_scaling": expected_calibration_error(
            graded.predictions.uncalibrated, labels
        ),
        "reliability": reliability_bins(probabilities, labels),
        "roc": roc_curves(probabilities, labels, classes),
        "precision_recall": precision_recall_curves(probabilities, labels, classes),
        "slices": slice_accuracy(graded.correct, photographs, traits),
        "worst_mistakes": worst_errors(probabilities, labels, classes, files),
    }


def file_traits(root: Path, files: Sequence[PhotoFile]) -> dict[str, list[str]]:
    """The slice of each file, by trait. File size and brightness are cut into terciles.

    Decodes every file.
    """

    def brightness(file: PhotoFile) -> float:
        return appearance(decode((root / file.path).read_bytes()).image).brightness

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        brightnesses = list(threads.map(brightness, files))
    return {
        "fruit": [read_label(file.class_name).fruit for file in files],
        "file size": terciles([file.bytes / 1024 for file in files], "KiB", digits=1),
        "brightness": terciles(brightnesses, "of 1", digits=2),
    }


def terciles(values: Sequence[float], unit: str, digits: int) -> list[str]:
    """The tercile of each value, in words: `up to 5.1 KiB`."""
    bounds = np.quantile(values, [1 / 3, 2 / 3])
    low, high = (f"{bound:.{digits}f}" for bound in bounds)
    names = (f"up to {low} {unit}", f"{low} to {high} {unit}", f"over {high} {unit}")
    return [names[int(k)] for k in np.searchsorted(bounds, values)]


def slice_accuracy(
    correct: NDArray[np.bool_], photographs: Sequence[str], traits: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Accuracy of every slice, with its interval over photographs.

    `correct` and `photographs` [n]; `traits` has the slice of each row by trait.
    """
    names = np.asarray(photographs)
    rows = []
    for trait, parts in traits.items():
        for part in dict.fromkeys(sorted(parts, key=_slice_order)):
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


def _slice_order(part: str) -> tuple[int, str]:
    """Terciles from low to high; other slices by name."""
    return (2 if part.startswith("over ") else 0 if part.startswith("up to ") else 1, part)


def worst_errors(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    files: Sequence[PhotoFile],
) -> list[dict[str, Any]]:
    """The errors with the highest confidence, one file for each photograph.

    `probabilities` [n, classes], `labels` and `files` [n]. `file` is relative to the dataset root;
    `copies_wrong` counts the misclassified files of the photograph.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    (wrong,) = np.nonzero(predicted != labels)
    by_photograph: dict[str, dict[str, Any]] = {}
    for k in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist():
        row = by_photograph.setdefault(
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
    return list(by_photograph.values())[:MAX_ERRORS]


def roc_curves(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """One-vs-rest ROC curve and `auc` by class.

    `probabilities` [n, classes], `labels` [n]. A class without positives or negatives has none.
    """
    curves = {}
    for name, truth, score in _one_vs_rest(probabilities, labels, classes):
        false, true, _ = roc_curve(truth, score)
        x, y = _thin(false, true)
        auc = float(roc_auc_score(truth, score))
        curves[name] = {"false_positive_rate": x, "true_positive_rate": y, "auc": auc}
    return curves


def precision_recall_curves(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """One-vs-rest precision-recall curve and `average_precision` by class; see `roc_curves`."""
    curves = {}
    for name, truth, score in _one_vs_rest(probabilities, labels, classes):
        precision, recall, _ = precision_recall_curve(truth, score)
        x, y = _thin(recall, precision)
        average = float(average_precision_score(truth, score))
        curves[name] = {"recall": x, "precision": y, "average_precision": average}
    return curves


def reliability_bins(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The non-empty bins of a reliability diagram, as in the calibration error.

    `probabilities` [n, classes], `labels` [n].
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    return [
        {
            "low": k / BINS,
            "high": (k + 1) / BINS,
            "files": int((bins == k).sum()),
            "confidence": float(confidence[bins == k].mean()),
            "accuracy": float(correct[bins == k].mean()),
        }
        for k in np.unique(bins).tolist()
    ]


def _one_vs_rest(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float32]]]:
    for k, name in enumerate(classes):
        truth = labels == k
        if truth.any() and not truth.all():
            yield name, truth, probabilities[:, k]


def _thin(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Thin a curve to about MAX_POINTS, ends included, spaced evenly along its length.

    Spaced by index, they would crowd in the one corner where most points of a good grader are.
    """
    length = np.concatenate([[0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()])
    targets = np.linspace(0, length[-1], MAX_POINTS)
    kept = np.unique([0, *np.searchsorted(length, targets).clip(max=len(x) - 1), len(x) - 1])
    return x[kept].round(DIGITS).tolist(), y[kept].round(DIGITS).tolist()
