"""What the charts of this app have in common: no dragging, little margin, a legend on top."""

import plotly.graph_objects as go


def framed(figure: go.Figure, height: int) -> go.Figure:
    """The figure, `height` pixels high, with the common layout."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        dragmode=False,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "title": None,
            "itemclick": False,
            "itemdoubleclick": False,
        },
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(fixedrange=True, title=None)
    figure.update_yaxes(fixedrange=True, title=None)
    return figure
