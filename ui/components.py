"""Parts that pages are made of."""

import loaders
import plotly.graph_objects as go
import streamlit as st
from problems import ApiProblem

_LOOK_AGAIN = "3s"
# The grey that Streamlit gives the writing of charts is too faint for small type.
_READABLE = '<style>[class*="st-key-chart-"] text { fill: currentColor !important; }</style>'


def problem_message(problem: ApiProblem, *, refused: str) -> None:
    """What went wrong and what to do. Goes on by itself after an outage of the whole service.

    `refused` is the title where the service works but turned the request down.
    """
    if not problem.passing:
        st.error(f"**{refused}**\n\n{problem.detail}", icon=":material/error:")
    elif away := loaders.health_problem():
        api_away(away)
    else:
        st.error(f"**{problem.title}**\n\n{problem.detail}", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")


@st.fragment(run_every=_LOOK_AGAIN)
def api_away(problem: ApiProblem) -> None:
    """Say that the API is away, look every few seconds, and rerun the page once it is back."""
    if loaders.health_problem() is None:
        st.rerun()
    _waiting(problem)


def trouble(problem: ApiProblem, *, refused: str) -> None:
    """A problem inside a fragment that refreshes itself, and so recovers by itself."""
    if problem.passing:
        _waiting(problem)
    else:
        st.error(f"**{refused}**\n\n{problem.detail}", icon=":material/error:")


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart without tools, its writing readable on light and dark."""
    with st.container(key=f"chart-{key}"):
        st.html(_READABLE)
        st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def choosing_chart(figure: go.Figure, key: str, alt: str) -> int | None:
    """A chart whose dots can be chosen; gives the `customdata` of the one that is."""
    with st.container(key=f"chart-{key}"):
        st.html(_READABLE)
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


def empty_state(icon: str, title: str, hint: str) -> None:
    """Say what is not there yet and what to do next. `icon` is a Material icon's name."""
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.space("small")
        st.markdown(f"### :material/{icon}: {title}", text_alignment="center")
        st.markdown(hint, text_alignment="center")
        st.space("small")


def _waiting(problem: ApiProblem) -> None:
    st.warning(
        f"**{problem.title}**\n\n{problem.detail}\n\nThis page goes on by itself as soon as the "
        "service answers.",
        icon=":material/cloud_off:",
    )
