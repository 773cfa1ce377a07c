"""What came of a batch, by class."""

from collections.abc import Mapping

import plotly.graph_objects as go
from words import class_labels

from charts.colours import HIGHLIGHT, MUTED
from charts.frame import framed

_BAR_PIXELS = 34
_MOST_BARS = 12


def class_bars(counts: Mapping[str | None, int]) -> go.Figure:
    """Horizontal bars of how many photographs are of each class, in the given order.

    None stands for those that were not recognised; its bar is muted. Classes beyond the eleventh
    share the last bar.
    """
    shown = dict(list(counts.items())[:_MOST_BARS])
    labels = class_labels([name for name in shown if name is not None])
    names = ["Not known" if name is None else labels[name] for name in shown]
    numbers = list(shown.values())
    colours = [MUTED if name is None else HIGHLIGHT for name in shown]
    if len(counts) > _MOST_BARS:
        rest = len(counts) - _MOST_BARS + 1
        names[-1], colours[-1] = f"{rest} other classes", MUTED
        numbers[-1] = sum(list(counts.values())[_MOST_BARS - 1 :])
    bars = go.Bar(
        x=numbers,
        y=names,
        orientation="h",
        text=[f"{number:,}" for number in numbers],
        textposition="outside",
        textfont={"size": 14},
        cliponaxis=False,
        hoverinfo="skip",
        marker={"color": colours, "cornerradius": 5},
    )
    figure = framed(go.Figure(bars), _BAR_PIXELS * len(names) + 10)
    figure.update_layout(bargap=0.35, showlegend=False)
    # Room on the right for the number beside the longest bar.
    figure.update_xaxes(range=[0, 1.15 * max(numbers, default=1)], visible=False)
    figure.update_yaxes(
        type="category", autorange="reversed", ticks="", ticksuffix="  ", tickfont={"size": 14}
    )
    return figure
