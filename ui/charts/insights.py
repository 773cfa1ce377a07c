"""Charts of the training data."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from resources.insights import CopyCount, Count, FruitFreshness, View
from words import class_labels, sentence

from charts.colours import HIGHLIGHT, MUTED, SERIES, WARNING
from charts.frame import framed
from charts.rows import ROW_PIXELS, rows_named
from charts.shares import told

_SPLITS = {"train": (HIGHLIGHT, "Learned from"), "validation": (SERIES[2], "Tuned on")} | {
    "test": (WARNING, "Measured on")
}


@dataclass(frozen=True)
class Side:
    """A row of fresh against rotten."""

    name: str
    fresh: int
    rotten: int


def class_balance(counts: Sequence[Count]) -> go.Figure:
    """A bar for each class, the largest on top, in parts by split."""
    totals: dict[str, int] = {}
    for row in counts:
        totals[row.class_name] = totals.get(row.class_name, 0) + row.examples
    names = sorted(totals, key=totals.__getitem__, reverse=True)
    labels = class_labels(names)
    figure = go.Figure()
    for split, (colour, title) in _SPLITS.items():
        numbers = [
            sum(r.examples for r in counts if (r.class_name, r.split) == (name, split))
            for name in names
        ]
        figure.add_bar(
            x=numbers,
            y=names,
            orientation="h",
            name=title,
            marker={"color": colour},
            hovertemplate=f"{title}: %{{x:,}}<extra></extra>",
        )
    for name in names:
        figure.add_annotation(
            x=totals[name], y=name, text=f" {totals[name]:,}", showarrow=False, xanchor="left"
        )
    framed(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(barmode="stack", bargap=0.35, legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1.15 * max(totals.values(), default=1)], visible=False)
    return rows_named(figure, names, labels)


def fresh_against_rotten(fresh: int, rotten: int, by_fruit: Sequence[FruitFreshness]) -> go.Figure:
    """A bar of the whole for everything and for each fruit, in its fresh and its rotten part."""
    sides = [Side("Everything", fresh, rotten)]
    sides += [Side(sentence(part.fruit), part.fresh, part.rotten) for part in by_fruit]
    names = [side.name for side in sides]
    figure = go.Figure()
    for title, colour in (("Fresh", HIGHLIGHT), ("Rotten", WARNING)):
        numbers = [getattr(side, title.lower()) for side in sides]
        shares = [n / (side.fresh + side.rotten) for n, side in zip(numbers, sides, strict=True)]
        figure.add_bar(
            x=shares,
            y=names,
            orientation="h",
            name=title,
            marker={"color": colour},
            customdata=told(shares),
            text=[f"{number:,}" for number in numbers],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": "white"},
            hovertemplate=f"{title}: %{{text}} (%{{customdata}})<extra></extra>",
        )
    framed(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(barmode="stack", bargap=0.35, legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1], visible=False)
    return rows_named(figure, names, {name: name for name in names})


def copy_bars(histogram: Sequence[CopyCount]) -> go.Figure:
    """How many photographs there are of which there is one file, two, and so on."""
    names = [f"{row.copies}" for row in histogram]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=[row.photographs for row in histogram],
            text=[f"{row.photographs:,}" for row in histogram],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [MUTED if row.copies == 1 else HIGHLIGHT for row in histogram],
                "cornerradius": 5,
            },
            hoverinfo="skip",
        )
    )
    framed(figure, 260)
    figure.update_layout(showlegend=False, margin={"t": 24})
    figure.update_xaxes(type="category", title="Files of one photograph")
    figure.update_yaxes(visible=False)
    return figure


def score_strip(original: View, views: Sequence[View]) -> go.Figure:
    """The freshness score of each view as a dot between rotten and fresh, and of the original."""
    figure = go.Figure()
    for title, shown, symbol, colour, size in (
        ("Training views", views, "circle", HIGHLIGHT, 13),
        ("As it is", [original], "diamond-open", WARNING, 16),
    ):
        scores = [100 * view.freshness_score for view in shown if view.freshness_score is not None]
        figure.add_scatter(
            x=scores,
            y=[0] * len(scores),
            mode="markers",
            name=title,
            marker={"size": size, "symbol": symbol, "color": colour, "line": {"width": 3}}
            | ({"opacity": 0.55} if symbol == "circle" else {}),
            hovertemplate=f"{title}: %{{x:.0f}} / 100<extra></extra>",
        )
    figure.add_vline(x=50, line={"color": MUTED, "dash": "dot"})
    framed(figure, 120)
    figure.update_xaxes(
        range=[-3, 103], tickvals=[0, 50, 100], ticktext=["0 rotten", "50", "100 fresh"]
    )
    # Room for the words below both ends.
    figure.update_layout(margin={"l": 32, "r": 32, "b": 30})
    figure.update_yaxes(visible=False, range=[-1, 1])
    return figure
