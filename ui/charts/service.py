"""Charts of the service over time: classes, confidence, versions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import plotly.graph_objects as go
from formatting import class_label, percent
from plain_text import as_chart_text

from charts.style import HIGHLIGHT, MUTED, PERCENT_AXIS, apply_layout, class_style, percent_range

_HEIGHT = 260
_ROW_PIXELS = 46
_MOST_CLASSES = 8
_OTHERS = "Other classes"


@dataclass(frozen=True)
class Span:
    """A period in which a version was in use; `how` says how it came into use."""

    version: str
    start: datetime
    end: datetime
    how: str


def class_mix(
    starts: Sequence[datetime], counts: Sequence[Mapping[str, int]], seconds: int
) -> go.Figure:
    """Predictions by class, a stacked bar for each slice of `seconds`.

    The most frequent classes have their own colours; the rest share one.
    """
    totals: Counter[str] = Counter()
    for by_class in counts:
        totals.update(by_class)
    named = sorted(name for name, _ in totals.most_common(_MOST_CLASSES))
    figure = go.Figure()
    for name in named:
        figure.add_bar(
            x=list(starts),
            y=[by_class.get(name, 0) for by_class in counts],
            name=as_chart_text(class_label(name)),
            marker={"color": class_style(name).colour, "line": {"width": 0}},
            hovertemplate=f"{as_chart_text(class_label(name))}: %{{y}}<extra></extra>",
        )
    if len(totals) > len(named):
        figure.add_bar(
            x=list(starts),
            y=[sum(n for name, n in by_class.items() if name not in named) for by_class in counts],
            name=_OTHERS,
            marker={"color": MUTED, "line": {"width": 0}},
            hovertemplate=f"{_OTHERS}: %{{y}}<extra></extra>",
        )
    apply_layout(figure, _HEIGHT)
    # A bar spans 90 % of its slice. Plotly counts in milliseconds.
    figure.update_traces(width=seconds * 900, offset=0)
    figure.update_layout(barmode="stack", hovermode="x unified", showlegend=True)
    figure.update_layout(legend_traceorder="normal")
    figure.update_xaxes(range=_full_range(starts, seconds))
    figure.update_yaxes(rangemode="tozero")
    return figure


def mean_confidence(
    starts: Sequence[datetime], means: Sequence[float | None], seconds: int
) -> go.Figure:
    """The mean confidence (0 to 1) of each slice of `seconds`, with a gap where nothing was
    graded."""
    figure = go.Figure(
        go.Scatter(
            x=[start + timedelta(seconds=seconds / 2) for start in starts],
            y=[None if mean is None else 100 * mean for mean in means],
            text=["" if mean is None else percent(mean) for mean in means],
            mode="lines+markers",
            line={"color": HIGHLIGHT, "width": 3},
            marker={"size": 8},
            cliponaxis=False,
            connectgaps=False,
            hovertemplate="%{text}<extra></extra>",
        )
    )
    apply_layout(figure, _HEIGHT)
    known = [mean for mean in means if mean is not None]
    lowest = min(known, default=0.0)
    figure.update_layout(hovermode="x unified", showlegend=False)
    figure.update_xaxes(range=_full_range(starts, seconds))
    figure.update_yaxes(range=percent_range(min(0.5, lowest - 0.05)), **PERCENT_AXIS)
    return figure


def version_timeline(spans: Sequence[Span]) -> go.Figure:
    """A row per version, the newest on top, with a bar for each time in use."""
    rows = list(dict.fromkeys(span.version for span in reversed(spans)))
    figure = go.Figure()
    for span in spans:
        latest = span is spans[-1]
        figure.add_scatter(
            x=[span.start, span.end],
            y=[rows.index(span.version)] * 2,
            mode="lines",
            line={"width": 12, "color": HIGHLIGHT if latest else MUTED},
            text=[f"{as_chart_text(span.version)}: {span.how}, {span.start:%d %b %H:%M}"] * 2,
            hovertemplate="%{text}<extra></extra>",
        )
    for number, version in enumerate(rows):
        figure.add_annotation(
            x=0,
            xref="paper",
            y=number,
            text=as_chart_text(version),
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            yshift=6,
        )
    apply_layout(figure, _ROW_PIXELS * len(rows) + 40)
    figure.update_layout(showlegend=False)
    figure.update_yaxes(visible=False, range=[len(rows) - 0.6, -0.8])
    return figure


def _full_range(starts: Sequence[datetime], seconds: int) -> list[datetime] | None:
    """From the start of the first slice to the end of the last."""
    return [starts[0], starts[-1] + timedelta(seconds=seconds)] if starts else None
