"""Charts of how good a version is: figures with intervals, classes, slices."""

from collections.abc import Sequence

import plotly.graph_objects as go
from resources.report import Figure, Slice
from words import class_labels, percent, sentence

from charts.colours import HIGHLIGHT, MUTED, SERIES, WARNING
from charts.frame import framed
from charts.shares import PERCENT_AXIS, in_percent, told

_ROW_PIXELS = 46
_CELL_PIXELS = 52
# From nothing to a green on which writing can still be read, on light and dark.
_GREENS = [[0.0, "rgba(63, 154, 102, 0)"], [1.0, "rgba(63, 154, 102, 0.65)"]]


def figure_intervals(figures: Sequence[Figure]) -> go.Figure:
    """Each figure as a dot on its 95 % interval: of the version, of the recipe, and leaking."""
    drawn = go.Figure()
    for row, figure in enumerate(figures):
        low = figure.value if figure.low is None else figure.low
        high = figure.value if figure.high is None else figure.high
        interval = f" ({percent(low)} to {percent(high)})" if figure.low is not None else ""
        drawn.add_scatter(
            x=in_percent([figure.value]),
            y=[row],
            mode="markers",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": in_percent([high - figure.value]),
                "arrayminus": in_percent([figure.value - low]),
                "thickness": 3,
                "width": 7,
            },
            marker={
                "size": 14,
                "color": _colour(figure),
                "symbol": "x" if figure.leaks else "circle",
            },
            hovertemplate=f"{percent(figure.value)}{interval}<extra></extra>",
        )
        title = f"{figure.title}: <b>{percent(figure.value)}</b>"
        drawn.add_annotation(
            x=0,
            xref="paper",
            y=row,
            text=f"{title} · leaks" if figure.leaks else title,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            yshift=9,
        )
    framed(drawn, _ROW_PIXELS * len(figures) + 50)
    lowest = min((f.low if f.low is not None else f.value for f in figures), default=0.0)
    drawn.update_layout(showlegend=False)
    drawn.update_xaxes(range=in_percent([max(0.0, lowest - 0.02), 1.003]), **PERCENT_AXIS)
    drawn.update_yaxes(visible=False, range=[len(figures) - 0.6, -0.9])
    return drawn


def _colour(figure: Figure) -> str:
    if figure.leaks:
        return WARNING
    return HIGHLIGHT if figure.measures == "version" else SERIES[2]


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> go.Figure:
    """What the files of each class (rows) were called (columns), coloured by the row's share."""
    labels = class_labels(classes)
    names = [labels[name] for name in classes]
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            text=[[f"{count:,}" if count else "" for count in row] for row in matrix],
            texttemplate="%{text}",
            textfont={"size": 14},
            colorscale=_GREENS,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=[told(row) for row in shares],
            hovertemplate="%{y} called %{x}: %{customdata}<extra></extra>",
        )
    )
    framed(figure, _CELL_PIXELS * len(names) + 110)
    figure.update_xaxes(side="bottom", tickangle=-40, ticks="", showgrid=False, title="Called")
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False, ticksuffix="  ")
    return figure


def slice_intervals(slices: Sequence[Slice]) -> go.Figure:
    """The share right of each part of the test photographs, on its 95 % interval."""
    names = [f"{sentence(part.by)}: {part.part}" for part in slices]
    figure = go.Figure(
        go.Scatter(
            x=in_percent(part.accuracy for part in slices),
            y=names,
            mode="markers",
            marker={"size": 12, "color": HIGHLIGHT},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": in_percent(
                    part.accuracy_interval_95[1] - part.accuracy for part in slices
                ),
                "arrayminus": in_percent(
                    part.accuracy - part.accuracy_interval_95[0] for part in slices
                ),
                "thickness": 2,
                "color": MUTED,
            },
            text=[f"{part.files:,} files of {part.photographs:,} photographs" for part in slices],
            customdata=told(part.accuracy for part in slices),
            hovertemplate="%{customdata} of %{text}<extra></extra>",
        )
    )
    framed(figure, 34 * len(names) + 50)
    lowest = min((part.accuracy_interval_95[0] for part in slices), default=0.0)
    figure.update_xaxes(range=in_percent([max(0.0, lowest - 0.02), 1.005]), **PERCENT_AXIS)
    figure.update_yaxes(type="category", autorange="reversed", ticks="", ticksuffix="  ")
    return figure
