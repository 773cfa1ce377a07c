"""The state of the History page, kept in the browser session and in the URL."""

import streamlit as st
from history import Search
from history_walk import Walk

# In the URL, so that a photo or a batch survives a reload, and can be shared.
PREDICTION, BATCH = "prediction", "batch"
_WALK, _OPENED, _BATCH = "history_walk", "history_opened", "history_batch"
# Keys of widgets.
TEXT, ORDER, DAYS = "history_text", "history_order", "history_days"
SHOWS, LEVEL, SURE = "history_shows", "history_level", "history_sure"


def walk(search: Search | None = None) -> Walk:
    """The position in the search results; without `search`, in those of the last search."""
    kept: Walk | None = st.session_state.get(_WALK)
    if kept is None or (search is not None and kept.search != search):
        kept = st.session_state[_WALK] = Walk(search or Search(batch_id=batch_id()))
    return kept


def opened() -> str | None:
    """The open photo, from the URL, or the one that was open before a visit to another page."""
    prediction_id: str | None = st.query_params.get(PREDICTION) or st.session_state.get(_OPENED)
    if prediction_id:
        st.session_state[_OPENED] = st.query_params[PREDICTION] = prediction_id
    return prediction_id


def open_photo(prediction_id: str | None = None) -> None:
    """Open a photo; None goes back to the list."""
    st.session_state[_OPENED] = prediction_id
    if prediction_id:
        st.query_params[PREDICTION] = prediction_id
    else:
        st.query_params.pop(PREDICTION, None)


def batch_id() -> str | None:
    """The batch being viewed, if any."""
    name: str | None = st.query_params.get(BATCH) or st.session_state.get(_BATCH)
    if name:
        st.session_state[_BATCH] = st.query_params[BATCH] = name
    return name


def show_all() -> None:
    """Show all photos again instead of those of a batch."""
    st.session_state[_BATCH] = None
    st.query_params.pop(BATCH, None)
