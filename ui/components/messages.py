"""What a page says where something is wrong, or nothing is there yet."""

import loaders
import streamlit as st
from problems import ApiProblem

_LOOK_AGAIN = "3s"


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
