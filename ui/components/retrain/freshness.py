"""The limits between fresh, past its best and rotten: seeing and setting them."""

import cached_api
import cached_thresholds
import state
import streamlit as st
from formatting import capitalize, describe_limits, points
from plain_text import as_markdown

from components.messages import empty_state, run_action, show_action_error

_AREA = "thresholds"
_SET_BY = {
    "user": "Set by a person.",
    "environment": "Set by this installation.",
    "model": "Set by the model.",
}


def freshness_thresholds() -> None:
    """The current limits, and a slider to change them. Raises ApiError."""
    thresholds = cached_api.models().freshness_thresholds()
    if thresholds.rotten_below is None:
        empty_state(
            "eco",
            "No limits to set",
            "None of the classes is about freshness, as `freshpears` and `rottenpears` are.",
        )
        return
    st.write(
        "Every fruit gets a freshness score: 0 is certainly rotten, 100 certainly fresh. Set here "
        "from which score a fruit is past its best, and from which it is fresh. The limits apply "
        "to everybody at once, without retraining."
    )
    if message := state.take_success(_AREA):
        st.success(message, icon=":material/check_circle:")
    show_action_error(_AREA, "The limits were not changed")
    low, high = _marks(thresholds.rotten_below, thresholds.fresh_from)
    limits = describe_limits(thresholds.rotten_below, thresholds.fresh_from)
    st.markdown(f"**{limits}** {_SET_BY[thresholds.set_by]}")
    _own_lines()
    # The key changes with the API's values; until then, an unfinished change is kept.
    key = f"thresholds-{low}-{high}"
    with st.form("thresholds", border=False):
        st.slider(
            "Past its best between",
            min_value=1,
            max_value=99,
            value=(low, high),
            key=key,
            help="Below the first mark it is rotten, from the second on fresh. With both marks at "
            "the same score nothing is past its best.",
        )
        with st.container(horizontal=True):
            st.form_submit_button("Set these limits", type="primary", on_click=_set, args=(key,))
            st.form_submit_button(
                "Reset",
                icon=":material/undo:",
                disabled=thresholds.set_by != "user",
                on_click=_reset,
            )
    if thresholds.model is not None and thresholds.set_by != "model":
        own = describe_limits(thresholds.model.rotten_below, thresholds.model.fresh_from)
        st.caption(f"The model's own limits: {own[:1].lower()}{own[1:]}")


def _own_lines() -> None:
    """Which fruits these limits do not apply to."""
    champion = cached_api.versions().champion
    if champion is None:
        return
    fruits = cached_thresholds.of_version(champion).fruits
    own = [capitalize(one.fruit) for one in fruits if one.set_by == "fruit"]
    if own:
        st.info(
            "These limits do not apply to fruits with lines of their own: "
            f"{as_markdown(', '.join(own))}.",
            icon=":material/info:",
        )
    st.page_link(
        "app_pages/model_report.py",
        label="Where to draw the line for each fruit: in the Model report",
        icon=":material/fact_check:",
    )


def _marks(rotten_below: float, fresh_from: float | None) -> tuple[int, int]:
    """The two slider marks; they are equal if there is no middle level."""
    low = points(rotten_below)
    return low, low if fresh_from is None else points(fresh_from)


def _set(key: str) -> None:
    low, high = st.session_state[key]
    if run_action(
        _AREA, lambda: cached_api.models().set_freshness_thresholds(low / 100, high / 100)
    ):
        cached_thresholds.clear()
        state.keep_success(_AREA, "Set. They take effect within two seconds.")


def _reset() -> None:
    if run_action(_AREA, lambda: cached_api.models().reset_freshness_thresholds()):
        cached_thresholds.clear()
        state.keep_success(_AREA, "Reset to the default limits.")
