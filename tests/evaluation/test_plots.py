"""Plots show their data; missing metrics have no plot."""

import io
import subprocess
import sys

import numpy as np
import pytest

from api.evaluation.classification_metrics import precision_recall_curves, roc_curves
from tests.registry.samples import describer

plots = pytest.importorskip("api.evaluation.plots", exc_type=ImportError)

CLASSES = ("freshapples", "rottenapples")
SLICES = [
    {"by": "fruit", "part": "apple", "accuracy": 0.9, "accuracy_interval_95": (0.8, 1.0)},
    {"by": "brightness", "part": "over 0.5", "accuracy": 0.7, "accuracy_interval_95": (0.5, 0.9)},
]
BINS = [{"low": 0.8, "high": 0.9, "files": 9, "confidence": 0.85, "accuracy": 0.8}]
HISTORY = [{"loss": 1.0, "accuracy": 0.5, "val_loss": 0.9, "val_accuracy": 0.6}] * 3


def test_confusion_matrix_shows_counts_and_names() -> None:
    axes = plots.plot_confusion_matrix([[7, 1], [0, 12]], CLASSES).axes[0]
    assert [text.get_text() for text in axes.texts] == ["7", "1", "0", "12"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fresh apple", "rotten apple"]


def test_training_curves_start_at_the_first_epoch() -> None:
    loss, accuracy = plots.plot_training_curves(HISTORY).axes
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3]
    assert list(accuracy.lines[1].get_ydata()) == [0.6] * 3


def test_curves_have_one_labelled_line_per_class() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], np.float32)
    labels = np.array([0, 1, 0])
    left, right = plots.plot_roc_and_precision_recall(
        roc_curves(probabilities, labels, CLASSES),
        precision_recall_curves(probabilities, labels, CLASSES),
    ).axes
    assert len(left.lines) == len(right.lines) == 2
    assert left.get_legend().get_texts()[0].get_text() == "fresh apple 1.0000"


def test_slices_and_reliability_show_their_data() -> None:
    axes = plots.plot_slices(SLICES).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "fruit: apple",
        "brightness: over 0.5",
    ]
    dots = plots.plot_reliability(BINS).axes[0].collections[0]
    assert dots.get_offsets().tolist() == [[0.85, 0.8]]


def test_package_has_the_plots_of_its_metrics() -> None:
    manifest = describer()({})
    assert plots.package_plots(manifest) == {}
    metrics = {
        "training_curves": HISTORY,
        "test_by_photograph": {"confusion_matrix": [[1, 0], [0, 1]], "slices": SLICES},
    }
    figures = plots.package_plots(manifest.model_copy(update={"metrics": metrics}))
    assert set(figures) == {"training", "confusion", "slices"}
    for figure in figures.values():
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        assert stream.getvalue().startswith(b"\x89PNG")
        assert len(stream.getvalue()) < 60_000


@pytest.mark.slow
def test_serving_imports_neither_plotting_nor_training() -> None:
    forbidden = ("api.training", "matplotlib", "mlflow", "tensorflow")
    program = f"import sys, api.app; print([m for m in sys.modules if m.startswith({forbidden})])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout.strip() == b"[]"
