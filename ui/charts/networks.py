"""The networks that were compared: how right they are against how long they take."""

from collections.abc import Sequence

import plotly.graph_objects as go
from resources.report import Trial
from words import spaced

from charts.colours import HIGHLIGHT, MUTED, SERIES
from charts.frame import framed
from charts.shares import PERCENT_AXIS, in_percent, told


def accuracy_against_time(trials: Sequence[Trial], chosen: str) -> go.Figure:
    """A dot for each network, larger where its file is; `chosen` stands out."""
    largest = max((trial.megabytes for trial in trials), default=1.0)
    figure = go.Figure(
        go.Scatter(
            x=[trial.milliseconds for trial in trials],
            y=in_percent(trial.accuracy for trial in trials),
            mode="markers+text",
            text=[spaced(trial.architecture) for trial in trials],
            textposition="middle right",
            cliponaxis=False,
            marker={
                "size": [12 + 24 * (trial.megabytes / largest) ** 0.5 for trial in trials],
                "color": [
                    HIGHLIGHT if trial.architecture == chosen else SERIES[2] for trial in trials
                ],
                "opacity": 0.85,
            },
            error_y=_intervals(trials),
            customdata=told(trial.accuracy for trial in trials),
            hovertemplate="%{text}: %{customdata} right in %{x:.1f} ms<extra></extra>",
        )
    )
    framed(figure, 360)
    figure.update_xaxes(title="Milliseconds a photograph", range=_across(trials))
    figure.update_yaxes(**PERCENT_AXIS, title="Right")
    return figure


def input_sizes(trials: Sequence[Trial], chosen: int) -> go.Figure:
    """The same network over the side of its input, with the time that each takes."""
    ordered = sorted(trials, key=lambda trial: trial.input_size)
    figure = go.Figure(
        go.Scatter(
            x=[trial.milliseconds for trial in ordered],
            y=in_percent(trial.accuracy for trial in ordered),
            mode="lines+markers+text",
            text=[f"{trial.input_size} px" for trial in ordered],
            textposition="middle right",
            cliponaxis=False,
            line={"color": MUTED, "width": 2},
            marker={
                "size": 13,
                "color": [
                    HIGHLIGHT if trial.input_size == chosen else SERIES[2] for trial in ordered
                ],
            },
            error_y=_intervals(ordered),
            customdata=told(trial.accuracy for trial in ordered),
            hovertemplate="%{text}: %{customdata} right in %{x:.1f} ms<extra></extra>",
        )
    )
    framed(figure, 320)
    figure.update_xaxes(title="Milliseconds a photograph", range=_across(trials))
    figure.update_yaxes(**PERCENT_AXIS, title="Right")
    return figure


def _intervals(trials: Sequence[Trial]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": in_percent(t.accuracy_interval_95[1] - t.accuracy for t in trials),
        "arrayminus": in_percent(t.accuracy - t.accuracy_interval_95[0] for t in trials),
        "thickness": 1.5,
        "color": MUTED,
    }


def _across(trials: Sequence[Trial]) -> list[float]:
    """From nothing to the slowest, with room for its name."""
    return [0, 1.35 * max((trial.milliseconds for trial in trials), default=1)]
