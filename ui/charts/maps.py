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
    for k, name in enumerate(names):
        mine = [n for n, point in enumerate(points) if point.class_name == name]
        pictured = [points[n].image_id is not None for n in mine]
        figure.add_scatter(
            x=[points[n].x for n in mine],
            y=[points[n].y for n in mine],
            customdata=mine,
            mode="markers",
            name=labels[name],
            marker={
                "size": [11 if seen else 7 for seen in pictured],
                "color": SERIES[k % len(SERIES)],
                "symbol": _MARKS[k // len(SERIES) % len(_MARKS)],
                "opacity": 0.75,
                "line": {"width": [2 if seen else 0 for seen in pictured], "color": "#8a948c"},
            },
            hovertemplate=f"{labels[name]}<extra></extra>",
            # What is chosen grows; the others must not fade.
            selected={"marker": {"size": 22, "opacity": 1}},
            unselected={"marker": {"opacity": 0.75}},
        )
    framed(figure, 460)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure
