"""A value against the threshold that it must not pass."""

import plotly.graph_objects as go

from charts.colours import HIGHLIGHT, MUTED, WARNING
from charts.frame import framed

_HEIGHT = 44
# How far beyond the threshold the scale goes where the value stays below.
_ROOM = 1.25
# Farther than this the bar is cut: the threshold has to stay visible.
_FARTHEST = 4.0


def threshold_bar(value: float, threshold: float) -> go.Figure:
    """One horizontal bar for `value`, and a line at `threshold`, which is above 0."""
    share = max(value, 0.0) / threshold
    end = min(max(_ROOM, share * 1.05), _FARTHEST)
    figure = go.Figure(
        go.Bar(
            x=[end, min(share, end)],
            y=["", ""],
            orientation="h",
            width=[0.5, 0.5],
            marker={"color": [MUTED, WARNING if share > 1 else HIGHLIGHT], "cornerradius": 4},
            opacity=1,
            hoverinfo="skip",
        )
    )
    figure.update_traces(marker_line_width=0)
    figure.add_vline(x=1, line={"width": 3, "color": WARNING})
    figure.add_annotation(
        x=1, y=0.5, yref="paper", text=f"{threshold:g}", showarrow=False, yanchor="bottom", yshift=9
    )
    framed(figure, _HEIGHT)
    figure.update_layout(barmode="overlay", showlegend=False)
    figure.update_xaxes(range=[0, end], visible=False)
    figure.update_yaxes(visible=False)
    return figure
