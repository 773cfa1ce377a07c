"""Charts of a run: new photos, the loss, candidate and champion by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from formatting import class_label, class_labels, percent
from plain_text import as_chart_text

from charts.style import (
    HIGHLIGHT,
    MUTED,
    NEUTRAL,
    PERCENT_AXIS,
    RING,
    WARNING,
    apply_layout,
    class_style,
    label_rows,
    make_room,
    percent_range,
    to_percent,
)

_CURVES = (("loss", "Training", "dot"), ("val_loss", "Validation", "solid"))
_LOSS_HEIGHT = 240
_ROW_PIXELS = 44
_BAR_PIXELS = 34
_MOST_BARS = 15


@dataclass(frozen=True)
class Pair:
    """How many of a class's `photos` each of the two models gets right.

    `champion` is None if the class is new.
    """

    photos: int
    champion: int | None
    candidate: int


def loss_curve(losses: Sequence[Mapping[str, float]]) -> go.Figure:
    """The loss after each epoch, on training and validation photos."""
    figure = go.Figure()
    for name, title, dash in _CURVES:
        points = [(entry["epoch"], entry[name]) for entry in losses if name in entry]
        figure.add_scatter(
            x=[epoch for epoch, _ in points],
            y=[loss for _, loss in points],
            name=title,
            mode="lines+markers",
            line={"color": HIGHLIGHT if name == "val_loss" else MUTED, "dash": dash, "width": 3},
            marker={"size": 7},
            hovertemplate=f"{title} loss %{{y:.3f}} after epoch %{{x}}<extra></extra>",
        )
    apply_layout(figure, _LOSS_HEIGHT)
    figure.update_xaxes(dtick=1, title="Epoch", range=[0.7, max(2, len(losses)) + 0.3])
    figure.update_yaxes(rangemode="tozero", title="Loss")
    return figure


def new_photos(counts: Mapping[str, int]) -> go.Figure:
    """New photos per class, the largest class on top."""
    most = sorted(counts.items(), key=lambda item: item[1], reverse=True)[:_MOST_BARS]
    names = [name for name, _ in most]
    numbers = [number for _, number in most]
    figure = go.Figure(
        go.Bar(
            x=numbers,
            y=names,
            orientation="h",
            text=[f"{number:,}" for number in numbers],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            marker={"color": [class_style(name).colour for name in names], "cornerradius": 5},
        )
    )
    apply_layout(figure, _BAR_PIXELS * len(names) + 20)
    figure.update_layout(bargap=0.4)
    make_room(figure, numbers, figure.data[0].text, max(numbers, default=1))
    figure.update_xaxes(range=[0, max(numbers, default=1)], visible=False)
    figure.update_yaxes(
        type="category",
        tickvals=names,
        ticktext=[as_chart_text(class_label(name)) for name in names],
        autorange="reversed",
        ticksuffix="  ",
    )
    return figure


def recall_pairs(classes: Mapping[str, Pair]) -> go.Figure:
    """The recall of champion and candidate, a row per class, with a coloured line between.

    The line is blue where the candidate is no worse, since green would suggest fresh. A new class
    has only the candidate's dot.
    """
    candidate = {name: _share(pair.candidate, pair) for name, pair in classes.items()}
    champion = {
        name: _share(pair.champion, pair)
        for name, pair in classes.items()
        if pair.champion is not None
    }
    figure = go.Figure()
    for name, was in champion.items():
        now = candidate[name]
        figure.add_scatter(
            x=to_percent([was, now]),
            y=[name, name],
            mode="lines",
            line={"width": 4, "color": WARNING if now < was else NEUTRAL},
            opacity=0.5,
            hoverinfo="skip",
            showlegend=False,
        )
    # The champion's ring comes last, to stay visible around the candidate's dot if both are equal.
    for title, shares, marker in (
        ("New", candidate, {"size": 12, "color": NEUTRAL}),
        ("Current", champion, {"size": 17, "symbol": "circle-open", "line": {"width": 3}}),
    ):
        figure.add_scatter(
            x=to_percent(shares.values()),
            y=list(shares),
            name=title,
            mode="markers",
            marker={"color": RING, **marker},
            text=[f"{title}: {percent(share)} right" for share in shares.values()],
            hovertemplate="%{text}<extra></extra>",
        )
    apply_layout(figure, _ROW_PIXELS * len(classes) + 70)
    lowest = min([*champion.values(), *candidate.values()], default=0.0)
    figure.update_xaxes(range=percent_range(lowest - 0.05), **PERCENT_AXIS)
    labels = class_labels(classes)
    labels |= {name: f"{labels[name]} (new)" for name in classes if name not in champion}
    return label_rows(figure, list(classes), labels)


def _share(right: int, pair: Pair) -> float:
    return right / pair.photos if pair.photos else 0.0
