"""Charts of how good a version is: metrics with intervals, classes, slices, networks."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from api_models import Figure, Trial
from formatting import capitalize, class_labels, humanize, percent
from plain_text import as_chart_text
from stored_models import MetricSlice

from charts.style import (
    HIGHLIGHT,
    MUTED,
    NEUTRAL,
    PERCENT_AXIS,
    WARNING,
    apply_layout,
    make_room,
    percent_labels,
    percent_range,
    to_percent,
)

_ROW_PIXELS = 46
_CELL_PIXELS = 52
# From transparent to a blue on which text is readable in both themes. Green would suggest fresh.
_BLUES = [[0.0, "rgba(91, 142, 203, 0)"], [1.0, "rgba(91, 142, 203, 0.65)"]]


def metric_intervals(figures: Sequence[Figure]) -> go.Figure:
    """Each metric as a dot on its 95 % interval; metrics on a leaking split stand out."""
    drawn = go.Figure()
    for row, figure in enumerate(figures):
        low = figure.value if figure.low is None else figure.low
        high = figure.value if figure.high is None else figure.high
        interval = f" ({percent(low)} to {percent(high)})" if figure.low is not None else ""
        drawn.add_scatter(
            x=to_percent([figure.value]),
            y=[row],
            mode="markers",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": to_percent([high - figure.value]),
                "arrayminus": to_percent([figure.value - low]),
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
        title = f"{as_chart_text(figure.title)}: <b>{percent(figure.value)}</b>"
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
    apply_layout(drawn, _ROW_PIXELS * len(figures) + 50)
    lowest = min((f.low if f.low is not None else f.value for f in figures), default=0.0)
    drawn.update_layout(showlegend=False)
    drawn.update_xaxes(range=percent_range(lowest - 0.02), **PERCENT_AXIS)
    drawn.update_yaxes(visible=False, range=[len(figures) - 0.6, -0.9])
    return drawn


def _colour(figure: Figure) -> str:
    if figure.leaks:
        return WARNING
    return HIGHLIGHT if figure.measures == "version" else NEUTRAL


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> go.Figure:
    """Files by actual class (rows) and graded class (columns), coloured by row share."""
    labels = class_labels(classes)
    names = [as_chart_text(labels[name]) for name in classes]
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            text=[[f"{count:,}" if count else "" for count in row] for row in matrix],
            texttemplate="%{text}",
            textfont={"size": 14},
            colorscale=_BLUES,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
            customdata=[percent_labels(row) for row in shares],
            hovertemplate="%{y} graded as %{x}: %{customdata}<extra></extra>",
        )
    )
    apply_layout(figure, _CELL_PIXELS * len(names) + 110)
    figure.update_xaxes(side="bottom", tickangle=-40, ticks="", showgrid=False, title="Graded as")
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False, ticksuffix="  ")
    return figure


def slice_intervals(slices: Sequence[MetricSlice]) -> go.Figure:
    """The accuracy of each slice of the test photos, on its 95 % interval."""
    names = [as_chart_text(f"{capitalize(part.by)}: {part.part}") for part in slices]
    figure = go.Figure(
        go.Scatter(
            x=to_percent(part.accuracy for part in slices),
            y=names,
            mode="markers",
            marker={"size": 12, "color": NEUTRAL},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": to_percent(
                    part.accuracy_interval_95[1] - part.accuracy for part in slices
                ),
                "arrayminus": to_percent(
                    part.accuracy - part.accuracy_interval_95[0] for part in slices
                ),
                "thickness": 2,
                "color": MUTED,
            },
            text=[f"{part.files:,} files of {part.photographs:,} photos" for part in slices],
            customdata=percent_labels(part.accuracy for part in slices),
            hovertemplate="%{customdata} of %{text}<extra></extra>",
        )
    )
    apply_layout(figure, 34 * len(names) + 50)
    lowest = min((part.accuracy_interval_95[0] for part in slices), default=0.0)
    figure.update_xaxes(range=percent_range(lowest - 0.02), **PERCENT_AXIS)
    figure.update_yaxes(type="category", autorange="reversed", ticks="", ticksuffix="  ")
    return figure


def found_bars(shares: Mapping[str, float]) -> go.Figure:
    """A bar for each share, in the order given."""
    names = [as_chart_text(name) for name in shares]
    figure = go.Figure(
        go.Bar(
            x=to_percent(shares.values()),
            y=names,
            orientation="h",
            marker={"color": NEUTRAL},
            width=0.55,
            text=percent_labels(shares.values()),
            textposition="auto",
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    apply_layout(figure, 44 * len(names) + 50)
    figure.update_xaxes(range=to_percent([0, 1.005]), **PERCENT_AXIS)
    figure.update_yaxes(type="category", autorange="reversed", ticks="", ticksuffix="  ")
    return figure


def accuracy_against_time(trials: Sequence[Trial], chosen: str) -> go.Figure:
    """Accuracy against time, a dot per network, larger for larger files; `chosen` stands out."""
    largest = max((trial.megabytes for trial in trials), default=1.0)
    figure = go.Figure(
        go.Scatter(
            x=[trial.milliseconds for trial in trials],
            y=to_percent(trial.accuracy for trial in trials),
            mode="markers+text",
            text=[as_chart_text(humanize(trial.architecture)) for trial in trials],
            textposition="middle right",
            cliponaxis=False,
            marker={
                "size": [12 + 24 * (trial.megabytes / largest) ** 0.5 for trial in trials],
                "color": [
                    HIGHLIGHT if trial.architecture == chosen else NEUTRAL for trial in trials
                ],
                "opacity": 0.85,
            },
            error_y=_intervals(trials),
            customdata=percent_labels(trial.accuracy for trial in trials),
            hovertemplate="%{text}: %{customdata} right in %{x:.1f} ms<extra></extra>",
        )
    )
    apply_layout(figure, 360)
    _time_axis(figure)
    figure.update_yaxes(**PERCENT_AXIS, title="Right")
    return figure


def input_sizes(trials: Sequence[Trial], chosen: int) -> go.Figure:
    """Accuracy against time of one network at several input sizes; `chosen` stands out."""
    ordered = sorted(trials, key=lambda trial: trial.input_size)
    figure = go.Figure(
        go.Scatter(
            x=[trial.milliseconds for trial in ordered],
            y=to_percent(trial.accuracy for trial in ordered),
            mode="lines+markers+text",
            text=[f"{trial.input_size} px" for trial in ordered],
            textposition="middle right",
            cliponaxis=False,
            line={"color": MUTED, "width": 2},
            marker={
                "size": 13,
                "color": [
                    HIGHLIGHT if trial.input_size == chosen else NEUTRAL for trial in ordered
                ],
            },
            error_y=_intervals(ordered),
            customdata=percent_labels(trial.accuracy for trial in ordered),
            hovertemplate="%{text}: %{customdata} right in %{x:.1f} ms<extra></extra>",
        )
    )
    apply_layout(figure, 320)
    _time_axis(figure)
    figure.update_yaxes(**PERCENT_AXIS, title="Right")
    return figure


def _intervals(trials: Sequence[Trial]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": to_percent(t.accuracy_interval_95[1] - t.accuracy for t in trials),
        "arrayminus": to_percent(t.accuracy - t.accuracy_interval_95[0] for t in trials),
        "thickness": 1.5,
        "color": MUTED,
    }


def _time_axis(figure: go.Figure) -> None:
    """The time axis, from 0 to the slowest, with room for its dot and name."""
    [dots] = figure.data
    end = 1.1 * max(dots.x, default=1)
    make_room(figure, dots.x, dots.text, end)
    figure.update_xaxes(title="Milliseconds per photo", range=[0, end])
