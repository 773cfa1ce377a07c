"""Horizontal bars: class probabilities, classes of a batch, a value against its limit."""

from collections.abc import Mapping
from html import escape

import plotly.graph_objects as go
from formatting import SEVERAL, class_label, class_labels, percent
from plain_text import as_chart_text

from charts.style import HIGHLIGHT, MUTED, RING, WARNING, apply_layout, class_style, make_room

_MAX_BARS = 12
_PROBABILITY_PIXELS = 38
_CLASS_PIXELS = 34
# The length of the scale, as a multiple of the threshold, if the value is below it.
_SCALE = 1.25
# Longer bars are cut here, so that the threshold stays visible.
_MAX_SCALE = 4.0
_HEIGHT = "1rem"
_LINE = "3px"


def probability_bars(probabilities: Mapping[str, float], highlighted: str | None) -> go.Figure:
    """The probabilities of the twelve most likely classes, the most likely on top.

    The bar of the class `highlighted` is coloured; with None, no bar is.
    """
    likeliest = sorted(probabilities.items(), key=lambda item: item[1], reverse=True)[:_MAX_BARS]
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
            "color": [class_style(name).colour if name == highlighted else MUTED for name in names],
            "cornerradius": 5,
        },
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=_PROBABILITY_PIXELS * len(likeliest) + 10,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        bargap=0.35,
        dragmode=False,
        showlegend=False,
    )
    make_room(figure, bars.x, bars.text, 1)
    figure.update_xaxes(range=[0, 1], visible=False, fixedrange=True)
    figure.update_yaxes(
        # Labels may be equal or look like numbers; each class must still have its own bar.
        type="category",
        tickvals=names,
        ticktext=[as_chart_text(class_label(name)) for name in names],
        autorange="reversed",
        fixedrange=True,
        ticks="",
        ticksuffix="  ",
        tickfont={"size": 14},
    )
    return figure


def class_bars(counts: Mapping[str | None, int]) -> go.Figure:
    """Photos per class, in the given order.

    The bars of None (photos that were not recognised) and of SEVERAL are muted. Classes beyond the
    eleventh share the last bar.
    """
    shown = dict(list(counts.items())[:_MAX_BARS])
    labels = class_labels([name for name in shown if name is not None])
    names = ["Not known" if name is None else as_chart_text(labels[name]) for name in shown]
    numbers = list(shown.values())
    colours = [
        MUTED if name is None or name == SEVERAL else class_style(name).colour for name in shown
    ]
    if len(counts) > _MAX_BARS:
        rest = len(counts) - _MAX_BARS + 1
        names[-1], colours[-1] = f"{rest} other classes", MUTED
        numbers[-1] = sum(list(counts.values())[_MAX_BARS - 1 :])
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
    figure = apply_layout(go.Figure(bars), _CLASS_PIXELS * len(names) + 10)
    figure.update_layout(bargap=0.35, showlegend=False)
    make_room(figure, bars.x, bars.text, max(numbers, default=1))
    figure.update_xaxes(range=[0, max(numbers, default=1)], visible=False)
    figure.update_yaxes(
        type="category", autorange="reversed", ticks="", ticksuffix="  ", tickfont={"size": 14}
    )
    return figure


def threshold_bar(value: float, threshold: float, text: str) -> str:
    """The HTML of a horizontal bar for `value`, with a line at `threshold`, which is above 0. A
    page has several of these, and Plotly is slow to draw.

    The part beyond the threshold has another colour. `text` says the same to people who cannot see
    the bar.
    """
    share = max(value, 0.0) / threshold
    end = min(max(_SCALE, share * 1.05), _MAX_SCALE)
    limit = f"{1 / end:.1%}"
    within, beyond = f"{min(share, 1) / end:.1%}", f"{min(share, end) / end:.1%}"
    line = f"{RING} {limit} calc({limit} + {_LINE}), transparent calc({limit} + {_LINE})"
    parts = f"{HIGHLIGHT} {within}, {WARNING} {within} {beyond}, {MUTED} {beyond}"
    style = (
        f"height: {_HEIGHT}; border-radius: 4px; background: "
        f"linear-gradient(to right, transparent {limit}, {line}), "
        f"linear-gradient(to right, {parts})"
    )
    return (
        f'<div class="threshold-bar" role="img" aria-label="{escape(text)}" style="{style}"></div>'
    )
