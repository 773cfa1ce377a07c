"""Errors, empty states, and the outcome of a person's last action."""

from collections.abc import Callable

import cached_api
import state
import streamlit as st
from errors import ApiError

_RETRY_EVERY = "3s"


def show_error(error: ApiError, *, rejected: str) -> None:
    """Say what went wrong and what to do. After an outage, the page continues by itself.

    `rejected` is the title if the service is up but rejected the request.
    """
    if not error.retryable:
        st.error(error.markdown_with(rejected), icon=":material/error:")
    elif outage := cached_api.health_error():
        api_unavailable(outage)
    else:
        st.error(error.markdown, icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")


@st.fragment(run_every=_RETRY_EVERY)
def api_unavailable(error: ApiError) -> None:
    """Say that the API is unavailable, and rerun the page once it is back."""
    if cached_api.health_error() is None:
        st.rerun()
    _waiting(error)


def show_fragment_error(error: ApiError, *, rejected: str) -> None:
    """Show an error in a fragment that refreshes, and so recovers, by itself."""
    if error.retryable:
        _waiting(error)
    else:
        st.error(error.markdown_with(rejected), icon=":material/error:")


def run_action(area: str, action: Callable[[], object]) -> bool:
    """Run a person's action; returns whether it worked.

    Its error is kept for `show_action_error`. Cached model data are cleared either way.
    """
    try:
        action()
    except ApiError as error:
        state.keep_action_error(area, error)
        return False
    finally:
        cached_api.clear_model_data()
    state.keep_action_error(area, None)
    return True


def show_action_error(area: str, rejected: str) -> None:
    """Say why the last action failed, if it did; `rejected` is the title if the API rejected it."""
    if error := state.action_error(area):
        title = error.title if error.retryable else rejected
        st.error(error.markdown_with(title), icon=":material/error:")


def empty_state(icon: str, title: str, hint: str) -> None:
    """Say what is missing and what to do next. `icon` is a Material icon's name."""
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.space("small")
        st.markdown(f"### :material/{icon}: {title}", text_alignment="center")
        st.markdown(hint, text_alignment="center")
        st.space("small")


def _waiting(error: ApiError) -> None:
    st.warning(
        f"{error.markdown}\n\nThis page continues by itself as soon as the service answers.",
        icon=":material/cloud_off:",
    )
