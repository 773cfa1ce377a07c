"""Charts of a run: how the loss falls, and how candidate and champion fare by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from words import class_labels, class_words, percent

from charts.colours import HIGHLIGHT, MUTED, RING, WARNING
from charts.frame import framed
from charts.rows import rows_named
from charts.shares import PERCENT_AXIS, in_percent

_CURVES = (("loss", "Training", "dot"), ("val_loss", "Validation", "solid"))
_LOSS_HEIGHT = 240
_ROW_PIXELS = 44
_BAR_PIXELS = 34
_MOST_BARS = 15


@dataclass(frozen=True)
class Pair:
    """Of `photographs` of a class, how many each of the two has right.

    `champion` is None where the class is new, so that the champion cannot know it.
    """

    photographs: int
    champion: int | None
    candidate: int


def loss_curve(losses: Sequence[Mapping[str, float]]) -> go.Figure:
    """The loss after each epoch, on the photographs learned from and on those kept back."""
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
    framed(figure, _LOSS_HEIGHT)
    figure.update_xaxes(dtick=1, title="Epoch", range=[0.7, max(2, len(losses)) + 0.3])
    figure.update_yaxes(rangemode="tozero", title="Loss")
    return figure


def new_photographs(counts: Mapping[str, int]) -> go.Figure:
    """Horizontal bars of how many photographs of each class are new, the most on top."""
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
            marker={"color": HIGHLIGHT, "cornerradius": 5},
        )
    )
    framed(figure, _BAR_PIXELS * len(names) + 20)
    figure.update_layout(bargap=0.4)
    # Room on the right for the number beside the longest bar.
    figure.update_xaxes(range=[0, 1.2 * max(numbers, default=1)], visible=False)
    figure.update_yaxes(
        type="category",
        tickvals=names,
        ticktext=[class_words(name) for name in names],
        autorange="reversed",
        ticksuffix="  ",
    )
    return figure


def recall_pairs(classes: Mapping[str, Pair]) -> go.Figure:
    """One row a class: a dot for the champion's share right, one for the candidate's, and a line
    between, coloured where the candidate is worse. A new class has the candidate's dot alone."""
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
            x=in_percent([was, now]),
            y=[name, name],
            mode="lines",
            line={"width": 4, "color": WARNING if now < was else HIGHLIGHT},
            opacity=0.5,
            hoverinfo="skip",
            showlegend=False,
        )
    # The champion's ring comes last: it stays in sight around the dot where both are as good.
    for title, shares, marker in (
        ("Candidate", candidate, {"size": 12, "color": HIGHLIGHT}),
        ("Champion", champion, {"size": 17, "symbol": "circle-open", "line": {"width": 3}}),
    ):
        figure.add_scatter(
            x=in_percent(shares.values()),
            y=list(shares),
            name=title,
            mode="markers",
            marker={"color": RING, **marker},
            text=[f"{title}: {percent(share)} right" for share in shares.values()],
            hovertemplate="%{text}<extra></extra>",
        )
    framed(figure, _ROW_PIXELS * len(classes) + 70)
    lowest = min([*champion.values(), *candidate.values()], default=0.0)
    figure.update_xaxes(range=in_percent([max(0.0, lowest - 0.05), 1.01]), **PERCENT_AXIS)
    labels = class_labels(classes)
    labels |= {name: f"{labels[name]} (new)" for name in classes if name not in champion}
    return rows_named(figure, list(classes), labels)


def _share(right: int, pair: Pair) -> float:
    return right / pair.photographs if pair.photographs else 0.0
