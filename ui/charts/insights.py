"""Charts of the training data: balance, copies, augmentation scores, embedding map."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from api_models import CopyCount, Count, FruitFreshness, Point, View
from formatting import capitalize, class_labels
from plain_text import as_chart_text

from charts.style import (
    HIGHLIGHT,
    LEVELS,
    MUTED,
    NEUTRAL,
    RING,
    ROW_PIXELS,
    apply_layout,
    class_style,
    label_rows,
    make_room,
    percent_labels,
)

# Blues, since green and orange would suggest fresh and rotten.
_SPLITS = {
    "train": (NEUTRAL, "Learned from"),
    "validation": ("#a9c3e4", "Tuned on"),
    "test": ("#3b5f93", "Measured on"),
}


@dataclass(frozen=True)
class Side:
    """A row of the chart of fresh against rotten."""

    name: str
    fresh: int
    rotten: int


def class_balance(counts: Sequence[Count]) -> go.Figure:
    """A bar per class, the largest on top, stacked by split."""
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
    apply_layout(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(barmode="stack", bargap=0.35, legend_traceorder="normal")
    ends, most = list(totals.values()), max(totals.values(), default=1)
    make_room(figure, ends, [f"{total:,}" for total in ends], most)
    figure.update_xaxes(range=[0, most], visible=False)
    return label_rows(figure, names, labels)


def fresh_against_rotten(fresh: int, rotten: int, by_fruit: Sequence[FruitFreshness]) -> go.Figure:
    """The fresh and rotten share of everything and of each fruit."""
    sides = [Side("Everything", fresh, rotten)]
    sides += [Side(capitalize(part.fruit), part.fresh, part.rotten) for part in by_fruit]
    names = [side.name for side in sides]
    figure = go.Figure()
    for title, colour in (("Fresh", LEVELS["fresh"].colour), ("Rotten", LEVELS["rotten"].colour)):
        numbers = [getattr(side, title.lower()) for side in sides]
        shares = [n / (side.fresh + side.rotten) for n, side in zip(numbers, sides, strict=True)]
        figure.add_bar(
            x=shares,
            y=names,
            orientation="h",
            name=title,
            marker={"color": colour},
            customdata=percent_labels(shares),
            text=[f"{number:,}" for number in numbers],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": "white"},
            hovertemplate=f"{title}: %{{text}} (%{{customdata}})<extra></extra>",
        )
    apply_layout(figure, ROW_PIXELS * len(names) + 50)
    figure.update_layout(barmode="stack", bargap=0.35, legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1], visible=False)
    return label_rows(figure, names, {name: name for name in names})


def copy_bars(histogram: Sequence[CopyCount]) -> go.Figure:
    """How many photos have one file, two files, and so on."""
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
    apply_layout(figure, 260)
    figure.update_layout(showlegend=False, margin={"t": 24})
    figure.update_xaxes(type="category", title="Files of one photo")
    figure.update_yaxes(visible=False)
    return figure


def score_strip(original: View, views: Sequence[View]) -> go.Figure:
    """The freshness scores of the original and of each view, on an axis from rotten to fresh."""
    figure = go.Figure()
    for title, shown, symbol, colour, size in (
        ("Training views", views, "circle", NEUTRAL, 13),
        ("As it is", [original], "diamond-open", RING, 16),
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
    apply_layout(figure, 120)
    figure.update_xaxes(
        range=[-5, 105], tickvals=[0, 50, 100], ticktext=["0 rotten", "50", "100 fresh"]
    )
    # Room for the labels below both ends.
    figure.update_layout(margin={"l": 32, "r": 32, "b": 30})
    figure.update_yaxes(visible=False, range=[-1, 1])
    return figure


def embedding_map(points: Sequence[Point]) -> go.Figure:
    """A dot per point, coloured by class; larger and with a rim if there is a photo to show.

    `customdata` of a dot is its number in `points`.
    """
    names = sorted({point.class_name for point in points})
    labels = class_labels(names)
    figure = go.Figure()
    in_legend: set[str] = set()
    # Points with a photo come last, to be drawn on top.
    for with_photo in (False, True):
        for name in names:
            style = class_style(name)
            mine = [
                n
                for n, point in enumerate(points)
                if point.class_name == name and (point.image_id is not None) == with_photo
            ]
            if not mine:
                continue
            figure.add_scatter(
                x=[points[n].x for n in mine],
                y=[points[n].y for n in mine],
                customdata=mine,
                mode="markers",
                name=as_chart_text(labels[name]),
                showlegend=name not in in_legend,
                marker={
                    "size": 14 if with_photo else 7,
                    "color": style.colour,
                    "symbol": style.marker,
                    "opacity": 0.75,
                    "line": {"width": 2 if with_photo else 0, "color": "#6a746d"},
                },
                text=[as_chart_text(points[n].photograph) for n in mine],
                hovertemplate=f"{as_chart_text(labels[name])}<br>%{{text}}<extra></extra>",
                # The selected dot grows; the others must not fade.
                selected={"marker": {"size": 22, "opacity": 1}},
                unselected={"marker": {"opacity": 0.75}},
            )
            in_legend.add(name)
    apply_layout(figure, 460)
    # Otherwise a single class would have no legend.
    figure.update_layout(showlegend=True)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
