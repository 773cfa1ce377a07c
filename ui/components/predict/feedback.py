"""Asking whether a prediction is right."""

from functools import partial

import cached_api
import cached_history
import state
import streamlit as st
from api_models import HistoryItem, Prediction
from formatting import class_label, with_class_labels
from plain_text import as_markdown

from components.class_picker import ask_right_class, is_new_class
from components.messages import run_action, show_action_error

_AREA = "feedback"


def feedback(prediction: Prediction, item: HistoryItem | None = None) -> None:
    """The question, or what became of the answer. `item` is the prediction's row in the history."""
    label = item.label if item else None
    dismissed = state.dismissed()
    if dismissed is None:
        dismissed = bool(item and item.dismissed_at)
    with st.container(border=True, key="feedback"):
        if answer := state.feedback():
            names = {answer.label, prediction.predicted_class}
            message = as_markdown(with_class_labels(answer.message, names))
            _answered(f":material/check_circle: {message}")
        elif dismissed:
            st.markdown(
                ":material/block: Dismissed: not a fruit. It is not asked about again, and nothing "
                "is learned from it."
            )
            st.button(
                "Undo",
                icon=":material/undo:",
                on_click=_dismiss,
                args=(prediction.prediction_id, False),
            )
        elif label and not state.is_changing():
            right = "right: " if label == prediction.predicted_class else ""
            shown = as_markdown(class_label(label))
            _answered(f":material/check_circle: A person said that it is {right}**{shown}**.")
        else:
            _question(prediction, can_dismiss=label is None)
        show_action_error(_AREA, "This answer cannot be accepted")


def _answered(message: str) -> None:
    st.markdown(message)
    st.button("Change the answer", type="tertiary", on_click=state.change_feedback)


def _question(prediction: Prediction, *, can_dismiss: bool) -> None:
    key = state.of_shown(state.RIGHT_CLASS)
    ask_right_class(
        list(prediction.probabilities),
        key,
        known=prediction.recognised,
        send="Send the correction",
        on_answer=partial(_send, prediction.prediction_id, key),
    )
    if can_dismiss:
        st.button(
            "Dismiss: not a fruit",
            icon=":material/block:",
            type="tertiary",
            on_click=_dismiss,
            args=(prediction.prediction_id, True),
        )
    st.caption("With your answer, the next model learns from this photo.")


def _send(prediction_id: str, key: str, label: str | None) -> None:
    run_action(
        _AREA,
        lambda: state.keep_feedback(
            cached_api.api().send_feedback(prediction_id, label, new_class=is_new_class(key))
        ),
    )
    _clear()


def _dismiss(prediction_id: str, wanted: bool) -> None:
    """Say that the photo shows no fruit, or take that back."""
    client = cached_history.client()
    change = client.dismiss if wanted else client.take_back
    if run_action(_AREA, lambda: change(prediction_id)):
        state.keep_dismissed(wanted)
    _clear()


def _clear() -> None:
    cached_api.clear_training_data()
    cached_history.clear()
