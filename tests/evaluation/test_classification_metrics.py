"""Classification metrics on the files of class folders."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import auc

from api.core.arrays import softmax
from api.evaluation.classification_metrics import (
    MAX_ERRORS,
    MAX_POINTS,
    file_traits,
    precision_recall_curves,
    reliability_bins,
    roc_curves,
    slice_accuracy,
    terciles,
    worst_errors,
)
from api.training.class_folders import PhotoFile

CLASSES = ("a", "b", "c")


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [3000, 3], mostly correct, and the labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 3000)
    logits = np.eye(3)[labels] * 2 + rng.normal(0, 1, (3000, 3))
    return softmax(logits.astype(np.float32)), labels


def test_thinned_curve_keeps_its_area(
    predictions: tuple[np.ndarray, np.ndarray],
) -> None:
    roc = roc_curves(*predictions, CLASSES)
    pr = precision_recall_curves(*predictions, CLASSES)
    for name in CLASSES:
        x, y = roc[name]["false_positive_rate"], roc[name]["true_positive_rate"]
        assert len(x) == len(y) <= MAX_POINTS + 2
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert auc(x, y) == pytest.approx(roc[name]["auc"], abs=0.005)
        recall, precision = pr[name]["recall"], pr[name]["precision"]
        assert len(recall) <= MAX_POINTS + 2
        assert auc(recall, precision) == pytest.approx(pr[name]["average_precision"], abs=0.01)


def test_perfect_predictions_have_auc_one() -> None:
    curves = roc_curves(np.eye(3, dtype=np.float32), np.arange(3), CLASSES)
    assert curves["b"]["auc"] == 1
    assert max(curves["b"]["true_positive_rate"]) == 1


def test_class_without_files_has_no_curve() -> None:
    probabilities = np.full((4, 3), 1 / 3, np.float32)
    assert set(roc_curves(probabilities, np.array([0, 0, 1, 1]), CLASSES)) == {"a", "b"}
    assert precision_recall_curves(probabilities, np.zeros(4, int), CLASSES) == {}


def test_reliability_counts_predictions_by_bin() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [1.0, 0.0]], np.float32)
    rows = reliability_bins(probabilities, np.array([0, 1, 1, 0]))
    assert [row["files"] for row in rows] == [1, 2, 1]
    assert [row["accuracy"] for row in rows] == [1, 0.5, 1]
    assert rows[1]["low"] <= rows[1]["confidence"] <= rows[1]["high"]
    assert rows[-1]["high"] == 1


def test_terciles_are_equal_and_name_their_bounds() -> None:
    parts = terciles(range(9), "KiB", digits=1)
    assert parts[0] == parts[2] == "up to 2.7 KiB"
    assert parts[3] == parts[5] == "2.7 to 5.3 KiB"
    assert parts[6] == parts[8] == "over 5.3 KiB"


def test_equal_values_form_one_tercile() -> None:
    assert set(terciles([4, 4, 4], "KiB", digits=1)) == {"up to 4.0 KiB"}


def test_slices_are_scored_separately() -> None:
    correct = np.array([True, True, False, True])
    traits = {"fruit": ["apple", "apple", "banana", "banana"]}
    apple, banana = slice_accuracy(correct, ["a", "a", "b", "c"], traits)
    assert (apple["by"], apple["part"], apple["accuracy"]) == ("fruit", "apple", 1)
    assert (banana["files"], banana["photographs"], banana["accuracy"]) == (2, 2, 0.5)
    assert (apple["photographs"], apple["accuracy_interval_95"]) == (1, (1, 1))


def test_terciles_are_in_order() -> None:
    parts = terciles(range(30), "KiB", digits=0)
    rows = slice_accuracy(np.ones(30, bool), [str(k) for k in range(30)], {"file size": parts})
    assert [row["part"].split()[0] for row in rows] == ["up", "10", "over"]


@pytest.mark.parametrize(("shade", "part"), [(20, "up to"), (210, "over")])
def test_brightness_is_measured_from_pixels(tmp_path: Path, shade: int, part: str) -> None:
    row = PhotoFile("", "freshapples", "", "a", "test", 8, 8, 100, "", "")
    files = []
    for value in (20, 120, 210):
        Image.new("RGB", (8, 8), (value, value, value)).save(tmp_path / f"{value}.png")
        files.append(replace(row, path=f"{value}.png"))
    traits = file_traits(tmp_path, files)
    assert traits["fruit"] == ["apple"] * 3
    assert traits["brightness"][(20, 120, 210).index(shade)].startswith(part)


APPLES = ("freshapples", "rottenapples")


def row(path: str, photograph: str) -> PhotoFile:
    return PhotoFile(path, "freshapples", "", photograph, "test", 1, 1, 1, "", "")


def test_worst_errors_are_sorted_and_list_each_photo_once() -> None:
    files = [row("1.jpg", "a"), row("2.jpg", "b"), row("3.jpg", "b"), row("4.jpg", "c")]
    confidence = np.array([0.6, 0.7, 0.9, 0.2], np.float32)
    errors = worst_errors(
        np.stack([1 - confidence, confidence], axis=1), np.zeros(4, int), APPLES, files
    )
    assert [entry["file"] for entry in errors] == ["3.jpg", "1.jpg"]
    assert errors[0] == {
        "file": "3.jpg",
        "true": "freshapples",
        "predicted": "rottenapples",
        "confidence": 0.9,
        "copies_wrong": 2,
    }


def test_worst_errors_are_limited() -> None:
    files = [row(f"{k}.jpg", str(k)) for k in range(40)]
    probabilities = np.tile(np.array([[0.1, 0.9]], np.float32), (40, 1))
    assert len(worst_errors(probabilities, np.zeros(40, int), APPLES, files)) == MAX_ERRORS
