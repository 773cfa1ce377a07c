"""The search filters of the history."""

from datetime import date, timedelta

import cached_api
import history_state
import streamlit as st
from formatting import class_labels, level_label
from history import ALL, DISMISSED, NOT_KNOWN, Order, Search
from timezone import start_of

LEVELS = ("fresh", "past_best", "rotten")
_ORDERS: dict[str, Order] = {"Newest first": "newest", "Least sure first": "least_sure"}
_SHOWS = {ALL: "Everything", NOT_KNOWN: "Not known", DISMISSED: "Dismissed: not a fruit"}


def ask_filters() -> Search:
    """Show the filters, and return the search."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    text = left.text_input(
        "Find by file, lot or supplier",
        key=history_state.TEXT,
        max_chars=80,
        icon=":material/search:",
        persist_state="session",
    )
    order = right.segmented_control(
        "Order",
        list(_ORDERS),
        default="Newest first",
        required=True,
        key=history_state.ORDER,
        persist_state="session",
    )
    with st.expander("More filters", icon=":material/filter_alt:", expanded=_is_used()):
        days, shows, level, (low, high) = _more()
    batch_id = history_state.batch_id()
    if batch_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(":material/photo_library: The photos of one batch")
            st.button("Show all photos", type="tertiary", on_click=history_state.show_all)
    return Search(
        text=text.strip(),
        since=start_of(days[0]) if days else None,
        until=start_of(days[-1] + timedelta(days=1)) if days else None,
        shows=shows,
        level=level,
        low=low,
        high=high,
        batch_id=batch_id,
        order=_ORDERS[order],
    )


def _more() -> tuple[tuple[date, ...], str, str | None, tuple[int, int]]:
    """The days, what to show, the level, and the bounds of the confidence in percent."""
    labels = class_labels(cached_api.known_classes())
    left, right = st.columns(2)
    days = left.date_input(
        "Graded between", value=[], key=history_state.DAYS, persist_state="session"
    )
    shows = right.selectbox(
        "Show",
        [ALL, *labels, NOT_KNOWN, DISMISSED],
        format_func=lambda name: _SHOWS.get(name) or labels.get(name, name),
        key=history_state.SHOWS,
        persist_state="session",
    )
    level = left.selectbox(
        "Level",
        LEVELS,
        index=None,
        format_func=level_label,
        key=history_state.LEVEL,
        placeholder="Any",
        persist_state="session",
    )
    sure = right.slider(
        "Confidence",
        0,
        100,
        (0, 100),
        5,
        format="%d %%",
        key=history_state.SURE,
        persist_state="session",
    )
    return days, shows, level, sure


def _is_used() -> bool:
    """Whether any of the collapsible filters is set."""
    chosen = st.session_state.get
    return bool(
        chosen(history_state.DAYS)
        or chosen(history_state.LEVEL)
        or chosen(history_state.SHOWS, ALL) != ALL
        or chosen(history_state.SURE, (0, 100)) != (0, 100)
    )
