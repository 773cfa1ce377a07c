"""A value against the threshold that it must not pass."""

import plotly.graph_objects as go

from charts.colours import HIGHLIGHT, MUTED, RING, WARNING
from charts.frame import framed

_HEIGHT = 24
# How far beyond the threshold the scale goes where the value stays below.
_ROOM = 1.25
# Farther than this the bar is cut: the threshold has to stay visible.
_FARTHEST = 4.0


def threshold_bar(value: float, threshold: float) -> go.Figure:
    """One horizontal bar for `value`, and a line at `threshold`, which is above 0.

    What goes beyond the threshold has another colour.
    """
    share = max(value, 0.0) / threshold
    end = min(max(_ROOM, share * 1.05), _FARTHEST)
    figure = go.Figure(
        go.Bar(
            # One upon the other: the whole scale, what is over the threshold, what is not.
            x=[end, min(share, end), min(share, 1)],
            y=["", "", ""],
            orientation="h",
            marker={
                "color": [MUTED, WARNING, HIGHLIGHT],
                "cornerradius": 4,
                "line": {"width": 0},
            },
            hoverinfo="skip",
        )
    )
    figure.add_vline(x=1, line={"width": 3, "color": RING})
    framed(figure, _HEIGHT)
    figure.update_layout(
        barmode="overlay", bargap=0.3, showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0}
    )
    figure.update_xaxes(range=[0, end], visible=False)
    figure.update_yaxes(visible=False)
    return figure
