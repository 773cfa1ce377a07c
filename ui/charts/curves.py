"""Curves of a version: reliability, ROC, precision-recall, training."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from formatting import class_labels, percent
from plain_text import as_chart_text
from stored_models import PrecisionRecallCurve, ReliabilityBin, RocCurve

from charts.style import (
    HIGHLIGHT,
    MUTED,
    PERCENT_AXIS,
    apply_layout,
    class_style,
    percent_range,
    to_percent,
)

_SIDE = 340


def reliability(bins: Sequence[ReliabilityBin]) -> go.Figure:
    """Accuracy against confidence; on the diagonal the model is calibrated.

    Larger dots hold more files.
    """
    most = max((part.files for part in bins), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": MUTED, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=to_percent(part.confidence for part in bins),
        y=to_percent(part.accuracy for part in bins),
        mode="markers",
        cliponaxis=False,
        marker={
            "size": [9 + 26 * (part.files / most) ** 0.5 for part in bins],
            "color": HIGHLIGHT,
            "opacity": 0.75,
            "line": {"width": 0},
        },
        text=[
            f"confidence {percent(part.confidence)}, right in {percent(part.accuracy)} of "
            f"{part.files:,} files"
            for part in bins
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    apply_layout(figure, _SIDE)
    # Room at the top for the dot of confident right grades, which is usually the largest.
    figure.update_layout(showlegend=False, margin={"t": 16})
    figure.update_xaxes(range=percent_range(0), **PERCENT_AXIS, title="Confidence")
    figure.update_yaxes(range=percent_range(0), **PERCENT_AXIS, title="Right")
    return figure


def roc_curves(curves: Mapping[str, RocCurve]) -> go.Figure:
    """The ROC curve of each class against all others."""
    lines = {
        name: (curve.false_positive_rate, curve.true_positive_rate, curve.auc)
        for name, curve in curves.items()
    }
    return _by_class(lines, "False positive rate", "True positive rate")


def precision_recall_curves(curves: Mapping[str, PrecisionRecallCurve]) -> go.Figure:
    """The precision-recall curve of each class against all others."""
    lines = {
        name: (curve.recall, curve.precision, curve.average_precision)
        for name, curve in curves.items()
    }
    return _by_class(lines, "Recall", "Precision")


def training_curve(
    history: Sequence[Mapping[str, float | None]], name: str, title: str
) -> go.Figure:
    """`name` (loss or accuracy) after each epoch, on training and validation photos."""
    epochs = list(range(1, len(history) + 1))
    figure = go.Figure()
    for key, label, colour, dash in (
        (name, "Training", MUTED, "dot"),
        (f"val_{name}", "Validation", HIGHLIGHT, "solid"),
    ):
        figure.add_scatter(
            x=epochs,
            y=[epoch.get(key) for epoch in history],
            mode="lines+markers",
            name=label,
            line={"color": colour, "dash": dash, "width": 3},
            marker={"size": 7},
            hovertemplate=f"{label}: %{{y:.3f}} after epoch %{{x}}<extra></extra>",
        )
    apply_layout(figure, 260)
    figure.update_xaxes(title="Epoch", dtick=max(1, len(epochs) // 6))
    figure.update_yaxes(title=title)
    return figure


def _by_class(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float], float]], across: str, up: str
) -> go.Figure:
    """A line per class, with its area in the legend."""
    labels = class_labels(lines)
    figure = go.Figure()
    for name, (x, y, area) in lines.items():
        style = class_style(name)
        figure.add_scatter(
            x=to_percent(x),
            y=to_percent(y),
            mode="lines",
            name=f"{as_chart_text(labels[name])} {area:.4f}",
            line={"color": style.colour, "width": 3, "dash": style.dash},
            text=[
                f"{up} {percent(b)}, {across.lower()} {percent(a)}"
                for a, b in zip(x, y, strict=True)
            ],
            hovertemplate=f"{as_chart_text(labels[name])}: %{{text}}<extra></extra>",
        )
    apply_layout(figure, _SIDE + 24 * ((len(lines) + 2) // 3))
    figure.update_xaxes(range=percent_range(0), **PERCENT_AXIS, title=across)
    figure.update_yaxes(range=percent_range(0), **PERCENT_AXIS, title=up)
    return figure
