"""Asking whether a prediction is right."""

import cached_api
import state
import streamlit as st
from api_models import Prediction
from formatting import with_class_labels
from plain_text import as_markdown

from components.class_picker import choose_class, is_new_class
from components.messages import run_action, show_action_error

_AREA = "feedback"


def feedback(prediction: Prediction) -> None:
    """The question, or what happened to the answer."""
    with st.container(border=True, key="feedback"):
        if answer := state.feedback():
            names = {answer.label, prediction.predicted_class}
            message = as_markdown(with_class_labels(answer.message, names))
            st.markdown(f":material/check_circle: {message}")
            st.button(
                "Change the answer", type="tertiary", on_click=state.keep_feedback, args=(None,)
            )
        else:
            _question(prediction)
        show_action_error(_AREA, "This answer cannot be accepted")


def _question(prediction: Prediction) -> None:
    # A photo that was not recognised has no class that could be right.
    known = prediction.recognised
    st.markdown("**Is this right?**" if known else "**What is it?**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if known:
            st.button(
                "Yes, it is right",
                icon=":material/thumb_up:",
                on_click=_send,
                args=(prediction.prediction_id, None),
            )
        with st.popover("No, it is …" if known else "It is …", icon=":material/edit:"):
            names = sorted({*cached_api.known_classes(), *prediction.probabilities})
            chosen = choose_class("The right class", names, state.RIGHT_CLASS)
            st.button(
                "Send the correction",
                type="primary",
                disabled=not chosen,
                on_click=_send,
                args=(prediction.prediction_id, chosen),
            )
    st.caption("With your answer, the next model learns from this photo.")


def _send(prediction_id: str, label: str | None) -> None:
    run_action(
        _AREA,
        lambda: state.keep_feedback(
            cached_api.api().send_feedback(
                prediction_id, label, new_class=is_new_class(state.RIGHT_CLASS)
            )
        ),
    )
    cached_api.clear_training_data()
