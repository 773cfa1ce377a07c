"""Where to draw the line between fresh, past its best and rotten: seeing and setting it."""

import loaders
import state
import streamlit as st
from resources import freshness

from components.attempts import attempt, show_problem
from components.messages import empty_state

_AREA = "line"
_SET_BY = {
    "user": "A person drew it here.",
    "environment": "The settings of this installation draw it here.",
    "model": "The model draws it here.",
}


def freshness_line() -> None:
    """The line as it is, and a slider to draw it elsewhere. Raises ApiProblem."""
    found = freshness.thresholds(loaders.api())
    if found.rotten_below is None:
        empty_state(
            "eco",
            "No line to draw",
            "None of the classes speaks of freshness. Classes such as `freshpears` and "
            "`rottenpears` do.",
        )
        return
    st.write(
        "Every fruit gets a freshness score: 0 is surely rotten, 100 surely fresh. Say here from "
        "which scores on a fruit is past its best, and from which fresh. It holds for everybody "
        "who grades here, at once, without retraining."
    )
    if told := state.done(_AREA):
        st.success(told, icon=":material/check_circle:")
    show_problem(_AREA, "The line stays where it was")
    low, high = _marks(found.rotten_below, found.fresh_from)
    st.markdown(f"**{_in_words(low, high)}** {_SET_BY[found.set_by]}")
    # What is being moved stays, until the API has other values than those it was moved from.
    key = f"line-{low}-{high}"
    with st.form("line", border=False):
        st.slider(
            "Past its best between",
            min_value=1,
            max_value=99,
            value=(low, high),
            key=key,
            help="Below the first mark it is rotten, from the second on fresh. With both in one "
            "place nothing is past its best.",
        )
        with st.container(horizontal=True):
            st.form_submit_button("Draw the line here", type="primary", on_click=_draw, args=(key,))
            st.form_submit_button(
                "Back to where it was",
                icon=":material/undo:",
                disabled=found.set_by != "user",
                on_click=_reset,
            )
    if found.model is not None and found.set_by != "model":
        own = _in_words(*_marks(found.model.rotten_below, found.model.fresh_from))
        st.caption(f"The model itself would say: {own[:1].lower()}{own[1:]}")


def _in_words(low: int, high: int) -> str:
    if low == high:
        return f"Rotten below {low}, fresh from {low}."
    return f"Rotten below {low}, past its best from {low}, fresh from {high}."


def _marks(rotten_below: float, fresh_from: float | None) -> tuple[int, int]:
    """Where the two stand on the slider; in one place where there is no middle."""
    low = _points(rotten_below)
    return low, low if fresh_from is None else _points(fresh_from)


def _points(score: float) -> int:
    """A score of 0 to 1 on the scale of the slider."""
    return min(max(round(100 * score), 1), 99)


def _draw(key: str) -> None:
    low, high = st.session_state[key]
    if attempt(_AREA, lambda: freshness.change(loaders.api(), low / 100, high / 100)):
        state.keep_done(_AREA, "Drawn. Photos are graded by it within two seconds.")


def _reset() -> None:
    if attempt(_AREA, lambda: freshness.reset(loaders.api())):
        state.keep_done(_AREA, "Drawn where it was before.")
