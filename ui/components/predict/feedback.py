"""Asking a person whether a prediction is right."""

import loaders
import state
import streamlit as st
from answers import Prediction
from resources import predictions

from components.attempts import attempt, show_problem
from components.classes import choose_class

_AREA = "feedback"


def feedback(prediction: Prediction) -> None:
    """Right, or what it is; and then what became of the answer."""
    with st.container(border=True, key="feedback"):
        if word := state.word():
            st.markdown(f":material/check_circle: {word.message}")
            st.button("Change the answer", type="tertiary", on_click=state.keep_word, args=(None,))
        else:
            _question(prediction)
        show_problem(_AREA, "This answer cannot be taken")


def _question(prediction: Prediction) -> None:
    # What was not recognised has no class that could be right.
    known = prediction.recognised
    st.markdown("**Is this right?**" if known else "**What is it?**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if known:
            st.button(
                "Yes, it is right",
                icon=":material/thumb_up:",
                on_click=_say,
                args=(prediction.prediction_id, None),
            )
        with st.popover("No, it is …" if known else "It is …", icon=":material/edit:"):
            names = sorted({*loaders.known_classes(), *prediction.probabilities})
            chosen = choose_class("The right class", names, state.RIGHT_CLASS)
            st.button(
                "Send the correction",
                type="primary",
                disabled=not chosen,
                on_click=_say,
                args=(prediction.prediction_id, chosen),
            )
    st.caption("With your answer, the next model learns from this photo.")


def _say(prediction_id: str, label: str | None) -> None:
    attempt(
        _AREA,
        lambda: state.keep_word(predictions.say(loaders.api(), prediction_id, label)),
    )
    loaders.forget_training_data()
