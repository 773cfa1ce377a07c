"""A retraining suggested by a trigger: one line on every page, with buttons to start or dismiss
it."""

import cached_api
import state
import streamlit as st
from api_models import Suggestion
from formatting import format_time, trigger_label
from plain_text import as_markdown
from timezone import local
from trigger_client import TriggerClient

from components.messages import run_action, show_action_error

AREA = "suggestion"
_STARTED = "The retraining has started. The Retrain page shows how far it is."


@st.fragment(run_every="30s")
def suggestion_line() -> None:
    """The oldest open suggestion, if there is one; refreshes itself."""
    state.take_suggestion_answered()
    waiting = cached_api.suggestions()
    if not waiting:
        return
    suggestion = waiting[0]
    with st.container(border=True, key="suggestion"):
        with st.container(horizontal=True, vertical_alignment="center"):
            title = trigger_label(suggestion.trigger)
            st.markdown(f":material/model_training: **Retrain?** {title}", width="stretch")
            with st.popover("Look"):
                _explain(suggestion)
            suggestion_buttons(suggestion, "line")
        show_action_error(AREA, "This is no longer possible")


def suggestion_buttons(suggestion: Suggestion, place: str) -> None:
    """Buttons to start or dismiss it. `place` tells buttons on one page apart."""
    for label, action in (("Start", _start), ("Dismiss", _dismiss)):
        st.button(
            label,
            key=f"{label}-{place}-{suggestion.suggestion_id}",
            type="primary" if label == "Start" else "secondary",
            on_click=action,
            args=(suggestion,),
        )


def _explain(suggestion: Suggestion) -> None:
    st.write(as_markdown(suggestion.reason))
    st.caption(
        f"Suggested {format_time(local(suggestion.created_at))}, with version "
        f"`{suggestion.model_version}` in use."
    )
    st.write(
        "**Start** begins a quick retraining; the new model is used only if it passes the checks. "
        "After **Dismiss** you are asked again only for a new reason."
    )
    st.page_link("app_pages/monitoring.py", label="See the numbers", icon=":material/monitoring:")


def _start(suggestion: Suggestion) -> None:
    if run_action(AREA, lambda: TriggerClient(cached_api.api()).accept(suggestion)):
        st.toast(_STARTED, icon=":material/model_training:")
    state.keep_suggestion_answered()


def _dismiss(suggestion: Suggestion) -> None:
    run_action(AREA, lambda: TriggerClient(cached_api.api()).dismiss(suggestion))
    state.keep_suggestion_answered()
