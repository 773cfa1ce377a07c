"""Colours, layout and number formats that all charts share."""

from collections.abc import Iterable, Mapping, Sequence
from colorsys import hls_to_rgb
from typing import NamedTuple
from zlib import crc32

import plotly.graph_objects as go
from formatting import fruit_and_freshness, percent
from plain_text import as_chart_text

# All colours stand out on light and dark.
HIGHLIGHT = "#3f9a66"
MUTED = "rgba(128, 138, 131, 0.45)"
RING = "#8a948c"
WARNING = "#cf7a2f"
# For things that are neither good nor bad nor a class.
NEUTRAL = "#5b8ecb"
# The hues of classes, in degrees: fresh ones are green, rotten ones red to orange, never green.
_HUES = {"fresh": (95, 175), "overripe": (44, 62), "rotten": (-15, 36)}
_OTHER_HUES = (200, 325)
# A fruit's position in the range of hues, 0 to 1: far apart for the default model's fruits,
# otherwise derived from the name.
_PLACES = {"apple": 0.1, "banana": 0.5, "orange": 0.9}
_MARKERS = ("circle", "diamond", "square", "x")
_DASHES = ("solid", "dash", "dot")
_LIGHTNESS, _SATURATION = (0.4, 0.47), (0.5, 0.62)
ROW_PIXELS = 40
# Width of a letter beside bars: the widest digit in the 14 pixel text.
_LETTER_PIXELS = 8
# Margin at each end of an axis: a share of its length, and the minimum in percent.
_ROOM, _LEAST_ROOM = 0.05, 0.3


class ClassStyle(NamedTuple):
    """How a class is drawn: the same in every chart, whatever the other classes are."""

    colour: str
    marker: str
    dash: str


class LevelStyle(NamedTuple):
    """How a freshness level is marked, never by colour alone; `border` is a box's CSS border."""

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


def class_style(name: str) -> ClassStyle:
    """The style derived from the name alone, so that adding a class changes no other."""
    fruit, _ = fruit_and_freshness(name)
    digits = crc32(fruit.casefold().encode())
    place = _PLACES.get(fruit.casefold(), digits % 1009 / 1008)
    low, high = next(
        (hues for start, hues in _HUES.items() if name.strip().lower().startswith(start)),
        _OTHER_HUES,
    )
    hue = (low + place * (high - low)) % 360 / 360
    lightness, saturation = _LIGHTNESS[digits // 1009 % 2], _SATURATION[digits // 2018 % 2]
    red, green, blue = (round(255 * part) for part in hls_to_rgb(hue, lightness, saturation))
    return ClassStyle(
        f"#{red:02x}{green:02x}{blue:02x}",
        _MARKERS[digits // 4036 % len(_MARKERS)],
        _DASHES[digits // 4036 % len(_DASHES)],
    )


def apply_layout(figure: go.Figure, height: int) -> go.Figure:
    """Give the figure the common layout and a `height` in pixels."""
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
    """Show one labelled row per class, from the top in the order of `names`."""
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


def percent_range(lowest: float) -> list[float]:
    """The range of a percent axis from the share `lowest` to 1, with room for whole dots."""
    low = 100 * max(0.0, lowest)
    room = _ROOM * (100 - low) + _LEAST_ROOM
    return [low - room, 100 + room]


def make_room(figure: go.Figure, ends: Sequence[float], texts: Sequence[str], scale: float) -> None:
    """Widen the right margin for texts to the right of the `ends` of bars or dots.

    `scale` is the end of the axis. A text that begins in its first half needs no extra room.
    """
    outer = [text for end, text in zip(ends, texts, strict=True) if end > scale / 2]
    longest = max(map(len, outer), default=0)
    figure.update_layout(margin={"r": 16 + _LETTER_PIXELS * longest})


def to_percent(shares: Iterable[float]) -> list[float]:
    """Shares (0 to 1) as percentages."""
    return [100 * share for share in shares]


def percent_labels(shares: Iterable[float]) -> list[str]:
    """Shares (0 to 1) as text, for dots and bars."""
    return [percent(share) for share in shares]
