"""Charts with a row for each class."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

ROW_PIXELS = 40


def rows_named(figure: go.Figure, names: Sequence[str], labels: Mapping[str, str]) -> go.Figure:
    """The rows from above in the order of `names`, each with its label."""
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(names),
        tickvals=list(names),
        ticktext=[labels[name] for name in names],
        autorange="reversed",
        ticks="",
        ticksuffix="  ",
    )
    return figure
