"""Curves of a version: reliability, ROC, precision against recall, training."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from resources.report import Bin, PrecisionRecall, Roc
from words import class_labels, percent

from charts.colours import HIGHLIGHT, MUTED, SERIES
from charts.frame import framed
from charts.shares import PERCENT_AXIS, in_percent

_SIDE = 340
_DASHES = ("solid", "dash", "dot")


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """How often answers of a confidence are right; on the diagonal it means what it says.

    Larger dots hold more files.
    """
    most = max((found.files for found in bins), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": MUTED, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=in_percent(found.confidence for found in bins),
        y=in_percent(found.accuracy for found in bins),
        mode="markers",
        cliponaxis=False,
        marker={
            "size": [9 + 26 * (found.files / most) ** 0.5 for found in bins],
            "color": HIGHLIGHT,
            "opacity": 0.75,
            "line": {"width": 0},
        },
        text=[
            f"sure to {percent(found.confidence)}, right in {percent(found.accuracy)} of "
            f"{found.files:,} files"
            for found in bins
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    framed(figure, _SIDE)
    # Room above for the dot of those that are sure and right, usually the largest.
    figure.update_layout(showlegend=False, margin={"t": 16})
    figure.update_xaxes(range=[0, 105], **PERCENT_AXIS, title="Confidence")
    figure.update_yaxes(range=[0, 105], **PERCENT_AXIS, title="Right")
    return figure


def roc_curves(curves: Mapping[str, Roc]) -> go.Figure:
    """Each class against all others: how many are found, against how many are taken for it
    wrongly."""
    lines = {
        name: (curve.false_positive_rate, curve.true_positive_rate, curve.auc)
        for name, curve in curves.items()
    }
    return _by_class(lines, "Others taken for it", "Found")


def precision_recall_curves(curves: Mapping[str, PrecisionRecall]) -> go.Figure:
    """Each class against all others: how many of those called so are, against how many are
    found."""
    lines = {
        name: (curve.recall, curve.precision, curve.average_precision)
        for name, curve in curves.items()
    }
    return _by_class(lines, "Found", "Of those called so, right")


def training_curve(
    history: Sequence[Mapping[str, float | None]], name: str, title: str
) -> go.Figure:
    """`name` (loss or accuracy) after each epoch, learned from and on validation photographs."""
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
    framed(figure, 260)
    figure.update_xaxes(title="Epoch", dtick=max(1, len(epochs) // 6))
    figure.update_yaxes(title=title)
    return figure


def _by_class(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float], float]], across: str, up: str
) -> go.Figure:
    """A line a class, with its area in the legend."""
    labels = class_labels(lines)
    figure = go.Figure()
    for k, (name, (x, y, area)) in enumerate(lines.items()):
        figure.add_scatter(
            x=in_percent(x),
            y=in_percent(y),
            mode="lines",
            name=f"{labels[name]} {area:.4f}",
            line={
                "color": SERIES[k % len(SERIES)],
                "width": 3,
                "dash": _DASHES[k // len(SERIES) % len(_DASHES)],
            },
            text=[
                f"{up} {percent(b)}, {across.lower()} {percent(a)}"
                for a, b in zip(x, y, strict=True)
            ],
            hovertemplate=f"{labels[name]}: %{{text}}<extra></extra>",
        )
    framed(figure, _SIDE + 24 * ((len(lines) + 2) // 3))
    figure.update_xaxes(range=[-2, 102], **PERCENT_AXIS, title=across)
    figure.update_yaxes(range=[-2, 105], **PERCENT_AXIS, title=up)
    return figure
