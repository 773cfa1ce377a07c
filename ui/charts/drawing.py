"""A photo to draw a box on."""

from base64 import b64encode
from collections.abc import Sequence

import plotly.graph_objects as go
from api_models import FruitBox, ImageSize, PixelBox

_LINE = "#ffffff"
_DRAWN = "#2f9bff"
# Plotly reports a selection box only over a trace, hence a grid of points.
_GRID = 12


def drawing(
    photo: bytes,
    image: ImageSize,
    boxes: Sequence[tuple[PixelBox | FruitBox, str]],
    drawn: PixelBox | None,
) -> go.Figure:
    """The photo, a JPEG, with axes in pixels of `image`.

    `boxes` are the existing ones, with their colours; `drawn` is a new one.
    """
    width, height = image.width, image.height
    figure = go.Figure(
        go.Scatter(
            x=[width * (k % _GRID + 0.5) / _GRID for k in range(_GRID**2)],
            y=[height * (k // _GRID + 0.5) / _GRID for k in range(_GRID**2)],
            mode="markers",
            marker={"opacity": 0, "size": 1},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            hoverinfo="skip",
        )
    )
    figure.add_layout_image(
        source=f"data:image/jpeg;base64,{b64encode(photo).decode()}",
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    shapes = [(box, colour, "dot") for box, colour in boxes]
    for box, colour, dash in [*shapes, *([(drawn, _DRAWN, "solid")] if drawn else [])]:
        figure.add_shape(
            type="rect",
            x0=box.x_min,
            y0=box.y_min,
            x1=box.x_max,
            y1=box.y_max,
            line={"color": colour, "width": 3, "dash": dash},
        )
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode="select",
        showlegend=False,
        newselection={"line": {"color": _LINE, "width": 4, "dash": "solid"}},
        activeselection={"fillcolor": _DRAWN, "opacity": 0.35},
    )
    figure.update_xaxes(range=[0, width], visible=False, fixedrange=True, constrain="domain")
    figure.update_yaxes(
        range=[height, 0],
        visible=False,
        fixedrange=True,
        scaleanchor="x",
        constrain="domain",
    )
    return figure
