"""The errors of a freshness line at each place where it can be drawn."""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from api_models import Sweep, SweepPoint
from formatting import percent, points

from charts.style import NEUTRAL, PERCENT_AXIS, RING, WARNING, apply_layout, percent_range

_HEIGHT = 340


class LineWords(NamedTuple):
    """The words for errors at a line: `worse` fruits, such as rotten ones, are `let_through`, and
    `better` ones are `refused`.
    """

    worse: str
    better: str
    let_through: str
    refused: str


def sweep_chart(
    held_out: Sweep, corrected: Sweep, words: LineWords, marks: Sequence[tuple[float, str]]
) -> go.Figure:
    """Both shares of errors against the line, held-out photos solid and corrected ones dotted.

    `marks` are lines to show, 0 to 1, with their names, from the lowest.
    """
    figure = go.Figure()
    for sweep, name, dash, width in (
        (held_out, "", "solid", 3),
        (corrected, ", corrected photos", "dot", 2),
    ):
        if sweep.worse:
            shares = [(point, point.let_through_share or 0) for point in sweep.points]
            title = f"{words.worse} {words.let_through}{name}"
            _draw(figure, shares, title, {"color": WARNING, "dash": dash, "width": width})
        if sweep.better:
            shares = [(point, point.refused_share or 0) for point in sweep.points]
            title = f"{words.better} {words.refused}{name}"
            _draw(figure, shares, title, {"color": NEUTRAL, "dash": dash, "width": width})
    for row, (threshold, text) in enumerate(marks):
        figure.add_vline(x=100 * threshold, line={"width": 2, "color": RING, "dash": "dash"})
        left = threshold > 0.5
        figure.add_annotation(
            x=100 * threshold,
            # One below the other, since they may be close together.
            y=98 - 12 * row,
            text=text,
            showarrow=False,
            xanchor="right" if left else "left",
            xshift=-5 if left else 5,
        )
    apply_layout(figure, _HEIGHT)
    figure.update_xaxes(range=[0, 100], title="The line, on the freshness score")
    figure.update_yaxes(range=percent_range(0), **PERCENT_AXIS, title="Wrong")
    return figure


def _draw(
    figure: go.Figure,
    shares: Sequence[tuple[SweepPoint, float]],
    title: str,
    line: dict[str, str | int],
) -> None:
    capital = title[:1].upper() + title[1:]
    figure.add_scatter(
        x=[100 * point.threshold for point, _ in shares],
        y=[100 * share for _, share in shares],
        mode="lines",
        # Steps, since a count changes only at the score of a fruit.
        line={**line, "shape": "hv"},
        name=capital,
        text=[f"line at {points(point.threshold)}: {percent(share)}" for point, share in shares],
        hovertemplate=f"{capital}, %{{text}}<extra></extra>",
    )
