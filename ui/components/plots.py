"""Plotly figures on a page."""

import plotly.graph_objects as go
import streamlit as st

# For every page, once: the grey that Streamlit gives the writing of charts is too faint for small
# type.
READABLE = '<style>[class*="st-key-chart-"] text { fill: currentColor !important; }</style>'


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart without tools, its writing readable on light and dark."""
    with st.container(key=f"chart-{key}"):
        st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def choosing_chart(figure: go.Figure, key: str, alt: str) -> int | None:
    """A chart whose dots can be chosen; gives the `customdata` of the one that is."""
    with st.container(key=f"chart-{key}"):
        event = st.plotly_chart(
            figure,
            key=key,
            on_select="rerun",
            selection_mode="points",
            config={"displayModeBar": False},
            alt=alt,
        )
    points = event["selection"]["points"]
    return int(points[0]["customdata"]) if points and "customdata" in points[0] else None
