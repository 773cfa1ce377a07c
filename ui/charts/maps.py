"""The map of the embeddings."""

from collections.abc import Sequence

import plotly.graph_objects as go
from resources.insights import Point
from words import class_labels

from charts.colours import SERIES
from charts.frame import framed

_MARKS = ("circle", "diamond", "square", "x")


def embedding_map(points: Sequence[Point]) -> go.Figure:
    """A dot for each point, coloured by class; larger with a rim where the catalog has a picture.

    `customdata` of a dot is its number in `points`.
    """
    names = sorted({point.class_name for point in points})
    labels = class_labels(names)
    figure = go.Figure()
    told: set[str] = set()
    # Those with a picture come last, and so lie on top of all others.
    for pictured in (False, True):
        for k, name in enumerate(names):
            mine = [
                n
                for n, point in enumerate(points)
                if point.class_name == name and (point.image_id is not None) == pictured
            ]
            if not mine:
                continue
            figure.add_scatter(
                x=[points[n].x for n in mine],
                y=[points[n].y for n in mine],
                customdata=mine,
                mode="markers",
                name=labels[name],
                showlegend=name not in told,
                marker={
                    "size": 14 if pictured else 7,
                    "color": SERIES[k % len(SERIES)],
                    "symbol": _MARKS[k // len(SERIES) % len(_MARKS)],
                    "opacity": 0.75,
                    "line": {"width": 2 if pictured else 0, "color": "#6a746d"},
                },
                text=[points[n].photograph for n in mine],
                hovertemplate=f"{labels[name]}<br>%{{text}}<extra></extra>",
                # What is chosen grows; the others must not fade.
                selected={"marker": {"size": 22, "opacity": 1}},
                unselected={"marker": {"opacity": 0.75}},
            )
            told.add(name)
    framed(figure, 460)
    # One class alone would have no legend otherwise.
    figure.update_layout(showlegend=True)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
