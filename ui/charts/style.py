"""Colours, layout and number formats that all charts share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from formatting import percent
from plain_text import as_chart_text

# All colours stand out on light and dark.
HIGHLIGHT = "#3f9a66"
MUTED = "rgba(128, 138, 131, 0.45)"
RING = "#8a948c"
WARNING = "#cf7a2f"
# For series that are neither good nor bad.
SERIES = (
    "#3f9a66",
    "#cf7a2f",
    "#5b8ecb",
    "#b5607f",
    "#8a7fc0",
    "#4da39d",
    "#a08c3a",
    "#a06f55",
)
ROW_PIXELS = 40


class LevelStyle(NamedTuple):
    """How a freshness level is marked, never by colour alone; `border` is that of a box in CSS."""

    colour: str
    sign: str
    border: str


LEVELS = {
    "fresh": LevelStyle(HIGHLIGHT, "✓", "3px solid"),
    "past_best": LevelStyle("#d9b23c", "!", "4px dashed"),
    "rotten": LevelStyle(WARNING, "✕", "7px double"),
}
UNKNOWN_LEVEL = LevelStyle("#b4bdb6", "?", "4px dotted")
# For an axis in percent. Plotly's own percent format has no space before the sign.
PERCENT_AXIS = {"ticksuffix": " %"}


def apply_layout(figure: go.Figure, height: int) -> go.Figure:
    """The figure with the common layout, `height` pixels high."""
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


def label_rows(figure: go.Figure, names: Sequence[str], labels: Mapping[str, str]) -> go.Figure:
    """A category row per class, from the top in the order of `names`, with its label."""
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(names),
        tickvals=list(names),
        ticktext=[as_chart_text(labels[name]) for name in names],
        autorange="reversed",
        ticks="",
        ticksuffix="  ",
    )
    return figure


def to_percent(shares: Iterable[float]) -> list[float]:
    """Shares (0 to 1) as percentages."""
    return [100 * share for share in shares]


def percent_labels(shares: Iterable[float]) -> list[str]:
    """Shares (0 to 1) as text, for dots and bars."""
    return [percent(share) for share in shares]
