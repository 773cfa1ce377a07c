"""Asking whether a prediction is right."""

from functools import partial

import cached_api
import state
import streamlit as st
from api_models import Prediction
from formatting import with_class_labels
from plain_text import as_markdown

from components.class_picker import ask_right_class, is_new_class
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
    ask_right_class(
        list(prediction.probabilities),
        state.RIGHT_CLASS,
        known=prediction.recognised,
        send="Send the correction",
        on_answer=partial(_send, prediction.prediction_id),
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
