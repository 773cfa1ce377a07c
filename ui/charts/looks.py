"""Charts of light, colour and size."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go
from resources.insights import ClassAppearance, Size
from words import class_labels, counted

from charts.colours import HIGHLIGHT, SERIES, WARNING
from charts.frame import framed
from charts.rows import ROW_PIXELS, rows_named
from charts.shares import PERCENT_AXIS

Look = Literal["brightness", "saturation", "hue"]
# Marks of the logarithmic axes.
_PIXELS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def looks_by_class(classes: Sequence[ClassAppearance], look: Look) -> go.Figure:
    """A box for each class: the middle half, with lines out to the 5th and 95th percentile."""
    names = [row.class_name for row in classes]
    # Degrees as they are, shares in percent.
    scale = 1 if look == "hue" else 100
    figure = go.Figure()
    for row in classes:
        found = getattr(row, look)
        colour = _colour_of(row, look)
        figure.add_box(
            y=[row.class_name],
            q1=[scale * found.p25],
            median=[scale * found.p50],
            q3=[scale * found.p75],
            lowerfence=[scale * found.p5],
            upperfence=[scale * found.p95],
            orientation="h",
            name=row.class_name,
            line={"color": colour, "width": 2},
            width=0.55,
            hoverinfo="x",
        )
    framed(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(showlegend=False)
    if look == "hue":
        figure.update_xaxes(ticksuffix="°")
    else:
        figure.update_xaxes(range=[0, 100], hoverformat=".1f", **PERCENT_AXIS)
    return rows_named(figure, names, class_labels(names))


def size_bubbles(sizes: Sequence[Size], input_size: int) -> go.Figure:
    """Width against height in pixels, larger dots for more pictures; what the network sees is a
    square of its own."""
    most = max((size.examples for size in sizes), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[size.width for size in sizes],
        y=[size.height for size in sizes],
        mode="markers",
        name="Pictures",
        marker={
            "size": [6 + 34 * (size.examples / most) ** 0.5 for size in sizes],
            "color": HIGHLIGHT,
            "opacity": 0.6,
            "line": {"width": 0},
        },
        text=[counted(size.examples, "picture") for size in sizes],
        hovertemplate="about %{x} x %{y} pixels: %{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[input_size],
        y=[input_size],
        mode="markers",
        name="What the network sees",
        marker={"size": 13, "symbol": "square-open", "color": WARNING, "line": {"width": 3}},
        hovertemplate="The network sees %{x} x %{y} pixels<extra></extra>",
    )
    framed(figure, 340)
    figure.update_xaxes(title="Width in pixels", type="log", tickvals=_PIXELS)
    figure.update_yaxes(title="Height in pixels", type="log", tickvals=_PIXELS)
    return figure


def _colour_of(row: ClassAppearance, look: Look) -> str:
    if look == "hue":
        return f"hsl({row.hue.p50 % 360:.0f}, 70%, 45%)"
    if row.class_name.lower().startswith("fresh"):
        return HIGHLIGHT
    return WARNING if row.class_name.lower().startswith("rotten") else SERIES[2]
