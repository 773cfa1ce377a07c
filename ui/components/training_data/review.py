"""The review queue: predictions that a person should label, confirmed many at once."""

import loaders
import state
import streamlit as st
from problems import ApiProblem
from resources import predictions
from resources.predictions import ReviewItem
from words import class_labels, class_words, counted, percent

from components.attempts import attempt, show_problem
from components.messages import empty_state, problem_message
from components.pictures import pictures

PAGE = 12
_AREA = "review"


def review() -> None:
    """The queue, or what stands in its way."""
    if done := state.done(_AREA):
        st.success(done, icon=":material/check_circle:")
    show_problem(_AREA, "These labels cannot be taken")
    try:
        items = loaders.review_queue(PAGE).items
    except ApiProblem as problem:
        problem_message(problem, refused="The review queue cannot be read")
        return
    if items:
        _form(items)
    else:
        empty_state(
            "task_alt",
            "Nothing to review",
            "Grade some photos on the Predict page: those that the model is least sure of wait "
            "here for your word.",
        )


def _form(items: list[ReviewItem]) -> None:
    st.write(
        "The model is least sure of these photos, so they teach it most. Put right what is wrong, "
        "clear what you cannot tell, and confirm the rest at once."
    )
    suggested = {item.suggested_label for item in items}
    labels = class_labels(sorted({*loaders.known_classes(), *suggested}))

    def below(item: ReviewItem) -> None:
        unsure = item.reason == "unsure"
        if unsure:
            # Set so, and not by an index, it can be cleared.
            st.session_state.setdefault(_key(item), item.suggested_label)
        st.selectbox(
            f"Label of {item.filename}",
            list(labels),
            index=None,
            format_func=lambda name: labels.get(name, name),
            key=_key(item),
            placeholder="Left out" if unsure else f"{labels[item.suggested_label]}?",
            accept_new_options=True,
            label_visibility="collapsed",
        )
        st.caption(f"{percent(item.confidence)} sure" if unsure else "Not recognised")

    with st.form("review", border=False):
        pictures(
            items,
            path=lambda item: item.photograph_url,
            alt=lambda item: f"{item.filename}: perhaps {class_words(item.suggested_label)}",
            below=below,
        )
        if st.form_submit_button(
            "Confirm these labels", type="primary", icon=":material/done_all:"
        ):
            _confirm({item.prediction_id: st.session_state.get(_key(item)) for item in items})
            st.rerun()


def _confirm(chosen: dict[str, str | None]) -> None:
    labels = {name: label for name, label in chosen.items() if label}
    if not labels:
        state.keep_done(_AREA, None)
        return

    def action() -> None:
        told = predictions.confirm(loaders.api(), labels)
        words = f"{counted(told.confirmed_count, 'label')} confirmed."
        if told.errors:
            reasons = " ".join(sorted({error.detail for error in told.errors}))
            words += f" {counted(len(told.errors), 'label')} not taken: {reasons}"
        state.keep_done(_AREA, words)

    state.keep_done(_AREA, None)
    attempt(_AREA, action)
    loaders.forget_training_data()


def _key(item: ReviewItem) -> str:
    return f"label_{item.prediction_id}"
