"""Charts of what the grader said."""

from collections.abc import Mapping

import plotly.graph_objects as go
from words import class_words, percent

from charts.colours import HIGHLIGHT, MUTED

_BAR_PIXELS = 38
_MOST_BARS = 12


def probability_bars(probabilities: Mapping[str, float], highlighted: str | None) -> go.Figure:
    """Horizontal bars, likeliest class on top, of at most the twelve likeliest classes.

    The bar of the class `highlighted` is coloured; with None, no bar is.
    """
    likeliest = sorted(probabilities.items(), key=lambda item: item[1], reverse=True)[:_MOST_BARS]
    names = [name for name, _ in likeliest]
    shares = [share for _, share in likeliest]
    bars = go.Bar(
        x=shares,
        y=names,
        orientation="h",
        text=[percent(share) for share in shares],
        textposition="outside",
        textfont={"size": 14},
        cliponaxis=False,
        hoverinfo="skip",
        marker={
            "color": [HIGHLIGHT if name == highlighted else MUTED for name in names],
            "cornerradius": 5,
        },
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=_BAR_PIXELS * len(likeliest) + 10,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        bargap=0.35,
        dragmode=False,
        showlegend=False,
    )
    # Room on the right for the figure beside a full bar.
    figure.update_xaxes(range=[0, 1.2], visible=False, fixedrange=True)
    figure.update_yaxes(
        # Two class names may read alike, or like numbers: each keeps a bar of its own.
        type="category",
        tickvals=names,
        ticktext=[class_words(name) for name in names],
        autorange="reversed",
        fixedrange=True,
        ticks="",
        ticksuffix="  ",
        tickfont={"size": 14},
    )
    return figure
