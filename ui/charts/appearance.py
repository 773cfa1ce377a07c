"""Charts of light, colour and photo sizes."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go
from api_models import ClassAppearance, Size
from formatting import class_labels, pluralize

from charts.style import (
    HIGHLIGHT,
    PERCENT_AXIS,
    ROW_PIXELS,
    WARNING,
    apply_layout,
    class_style,
    label_rows,
    percent_range,
)

Property = Literal["brightness", "saturation", "hue"]
# Ticks of the logarithmic axes.
_PIXELS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def appearance_by_class(classes: Sequence[ClassAppearance], shown: Property) -> go.Figure:
    """A box per class: the quartiles, with whiskers to the 5th and 95th percentile."""
    names = [row.class_name for row in classes]
    # Hue is in degrees, the others are shares.
    scale = 1 if shown == "hue" else 100
    figure = go.Figure()
    for row in classes:
        quantiles = getattr(row, shown)
        colour = class_style(row.class_name).colour
        figure.add_box(
            y=[row.class_name],
            q1=[scale * quantiles.p25],
            median=[scale * quantiles.p50],
            q3=[scale * quantiles.p75],
            lowerfence=[scale * quantiles.p5],
            upperfence=[scale * quantiles.p95],
            orientation="h",
            name=row.class_name,
            line={"color": colour, "width": 2},
            width=0.55,
            hoverinfo="x",
        )
    apply_layout(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(showlegend=False)
    if shown == "hue":
        figure.update_xaxes(ticksuffix="°")
    else:
        figure.update_xaxes(range=percent_range(0), hoverformat=".1f", **PERCENT_AXIS)
    return label_rows(figure, names, class_labels(names))


def size_bubbles(sizes: Sequence[Size], input_size: int) -> go.Figure:
    """Photo sizes in pixels, larger dots for more photos; a square marks the input size."""
    most = max((size.examples for size in sizes), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[size.width for size in sizes],
        y=[size.height for size in sizes],
        mode="markers",
        name="Photos",
        marker={
            "size": [6 + 34 * (size.examples / most) ** 0.5 for size in sizes],
            "color": HIGHLIGHT,
            "opacity": 0.6,
            "line": {"width": 0},
        },
        text=[pluralize(size.examples, "photo") for size in sizes],
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
    apply_layout(figure, 340)
    figure.update_xaxes(title="Width in pixels", type="log", tickvals=_PIXELS)
    figure.update_yaxes(title="Height in pixels", type="log", tickvals=_PIXELS)
    return figure
