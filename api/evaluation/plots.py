"""Matplotlib plots of a package's metrics, for the notebook and MLflow; the app draws its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from api.core.labels import read_label
from api.model.manifest import Manifest

GREEN = "#3f9a66"
GREY = "#8a928d"
_PANEL_INCHES = 3.6


def package_plots(manifest: Manifest) -> dict[str, Figure]:
    """By name, every plot that the package has metrics for."""
    metrics = manifest.metrics
    test = metrics.get("test_by_photograph", {})
    figures = {}
    if metrics.get("training_curves"):
        figures["training"] = plot_training_curves(metrics["training_curves"])
    if "confusion_matrix" in test:
        figures["confusion"] = plot_confusion_matrix(test["confusion_matrix"], manifest.classes)
    if test.get("reliability"):
        figures["reliability"] = plot_reliability(test["reliability"])
    if test.get("roc") and test.get("precision_recall"):
        figures["curves"] = plot_roc_and_precision_recall(test["roc"], test["precision_recall"])
    if test.get("slices"):
        figures["slices"] = plot_slices(test["slices"])
    return figures


def plot_training_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Training and validation loss and accuracy; `history` is that of a `TrainedNetwork`."""
    figure, (left, right) = panels(2)
    epochs = range(1, len(history) + 1)
    for axes, name in ((left, "loss"), (right, "accuracy")):
        axes.plot(epochs, [epoch[name] for epoch in history], ".-", color=GREY, label="training")
        validation = [epoch[f"val_{name}"] for epoch in history]
        axes.plot(epochs, validation, ".-", color=GREEN, label="validation")
        axes.set(title=name.capitalize(), xlabel="Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    return figure


def plot_confusion_matrix(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Files by actual (rows) and predicted class (columns)."""
    figure, (axes,) = panels(1, width=1.4, height=1.25)
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    for y, row in enumerate(matrix):
        for x, count in enumerate(row):
            colour = "white" if shares[y][x] > 0.6 else "black"
            axes.text(x, y, str(count), ha="center", va="center", color=colour)
    words = [read_label(name).words for name in classes]
    axes.set_xticks(range(len(words)), words, rotation=40, ha="right")
    axes.set_yticks(range(len(words)), words)
    axes.set(xlabel="Called", ylabel="Is")
    axes.grid(visible=False)
    return figure


def plot_reliability(bins: Sequence[Mapping[str, float]]) -> Figure:
    """Accuracy against confidence, for `reliability_bins`; dots are sized by files."""
    figure, (axes,) = panels(1)
    most = max(row["files"] for row in bins)
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1)
    axes.scatter(
        [row["confidence"] for row in bins],
        [row["accuracy"] for row in bins],
        [20 + 180 * row["files"] / most for row in bins],
        color=GREEN,
        alpha=0.7,
    )
    axes.set(xlabel="Confidence", ylabel="Share right", xlim=(0, 1.04), ylim=(0, 1.04))
    return figure


def plot_roc_and_precision_recall(
    roc: Mapping[str, Any], precision_recall: Mapping[str, Any]
) -> Figure:
    """A line for each class."""
    figure, (left, right) = panels(2, height=1.15)
    for name, curve in roc.items():
        label = f"{read_label(name).words} {curve['auc']:.4f}"
        left.plot(curve["false_positive_rate"], curve["true_positive_rate"], label=label)
    for name, curve in precision_recall.items():
        label = f"{read_label(name).words} {curve['average_precision']:.4f}"
        right.plot(curve["recall"], curve["precision"], label=label)
    left.set(title="ROC (area)", xlabel="False positive rate", ylabel="True positive rate")
    right.set(title="Precision and recall (average precision)", xlabel="Recall", ylabel="Precision")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize="small", loc="lower center")
    return figure


def plot_slices(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy of every slice with its interval."""
    figure, (axes,) = panels(1, width=1.6, height=0.35 + 0.09 * len(rows))
    names = [f"{row['by']}: {row['part']}" for row in rows]
    for y, row in enumerate(rows):
        axes.plot(row["accuracy_interval_95"], [y, y], color=GREY)
        axes.plot(row["accuracy"], y, "o", color=GREEN)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="Accuracy, 95 % interval")
    return figure


def panels(count: int, width: float = 1, height: float = 1) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels side by side; `width` and `height` are relative.

    Not made by pyplot, which would keep every figure open.
    """
    size = (_PANEL_INCHES * count * max(width, 1.1), _PANEL_INCHES * height)
    figure = Figure(figsize=size, dpi=80, layout="constrained")
    panels = [figure.add_subplot(1, count, k + 1) for k in range(count)]
    for axes in panels:
        axes.grid(color=GREY, alpha=0.2)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels
