"""The review queue: predictions that a person should label, many at once."""

import cached_api
import cached_history
import state
import streamlit as st
from api_models import ReviewItem
from errors import ApiError
from formatting import class_label, class_labels, percent, pluralize
from plain_text import as_markdown

from components.class_picker import classes_begun
from components.display import photo_grid
from components.messages import empty_state, run_action, show_action_error, show_error

PAGE_SIZE = 12
_AREA = "review"
_LOOKS_KNOWN, _IS_NEW = "review_looks_known", "review_is_new"
_DISMISSED = "review_dismissed"
_SAMPLE = (
    "A random sample of the graded photos: your answers tell how good the grader is in use. Say "
    "what each photo shows; the grade is not shown, so that it does not sway you."
)
_LEAST_SURE = (
    "The model is least sure of these photos, so it learns most from them. Correct the wrong "
    "labels, clear those you are not sure of, and confirm the rest."
)
_QUESTIONS = {"similar-class", "mixed-alphabets"}


def review() -> None:
    """The queue, or why it cannot be shown."""
    if message := state.take_success(_AREA):
        st.success(as_markdown(message), icon=":material/check_circle:")
    _offer_undo()
    show_action_error(_AREA, "These labels cannot be accepted")
    try:
        items = cached_api.review_queue(PAGE_SIZE).items
    except ApiError as error:
        show_error(error, rejected="The review queue cannot be read")
        return
    # The random sample is asked about separately, so that all of it is answered in the same way.
    sampled = [item for item in items if item.reason == "sampled"]
    if items:
        _form(sampled or items, _SAMPLE if sampled else _LEAST_SURE)
    else:
        empty_state(
            "task_alt",
            "Nothing to review",
            "Grade some photos on the Predict page. The ones that the model is least sure of "
            "appear here.",
        )


def _form(items: list[ReviewItem], introduction: str) -> None:
    st.write(introduction)
    suggested = {item.suggested_label for item in items}
    labels = class_labels(sorted({*cached_api.known_classes(), *suggested}))

    def below(item: ReviewItem) -> None:
        unsure = item.reason == "unsure"
        if unsure:
            # Set through the state: with `index`, the select box could not be cleared.
            st.session_state.setdefault(_key(item), item.suggested_label)
        st.selectbox(
            f"Label of {as_markdown(item.filename)}",
            list(labels),
            index=None,
            format_func=lambda name: labels.get(name, name),
            key=_key(item),
            placeholder=_placeholder(item, labels),
            accept_new_options=True,
            label_visibility="collapsed",
        )
        if item.reason != "sampled":
            st.caption(f"{percent(item.confidence)} sure" if unsure else "Not recognised")
        st.form_submit_button(
            "Dismiss: not a fruit",
            key=f"dismiss_{item.prediction_id}",
            type="tertiary",
            help=f"Dismiss {as_markdown(item.filename)}: it is not asked about again, and nothing "
            "is learned from it.",
            on_click=_dismiss,
            args=(item.prediction_id,),
        )

    with st.form("review", border=False):
        photo_grid(
            items,
            path=lambda item: item.photograph_url,
            alt=_alt,
            below=below,
        )
        if st.session_state.get(_LOOKS_KNOWN):
            st.checkbox(
                "New names are classes of their own, even if they look like known ones",
                key=_IS_NEW,
            )
        if st.form_submit_button(
            "Confirm these labels", type="primary", icon=":material/done_all:"
        ):
            _answer(items, labels)


def _offer_undo() -> None:
    """Say which photos were dismissed in this visit, and offer to take the last one back."""
    if not (dismissed := st.session_state.get(_DISMISSED)):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="dismissed"):
        st.markdown(f":material/block: {pluralize(len(dismissed), 'photo')} dismissed: not a fruit")
        st.button("Undo the last", icon=":material/undo:", on_click=_take_back)


def _dismiss(prediction_id: str) -> None:
    if run_action(_AREA, lambda: cached_history.client().dismiss(prediction_id)):
        st.session_state[_DISMISSED] = [*st.session_state.get(_DISMISSED, []), prediction_id]
    _clear()


def _take_back() -> None:
    if not (dismissed := st.session_state[_DISMISSED]):
        return  # A second click.
    *others, last = dismissed
    if run_action(_AREA, lambda: cached_history.client().take_back(last)):
        st.session_state[_DISMISSED] = others
    _clear()


def _clear() -> None:
    cached_api.clear_training_data()
    cached_history.clear()


def _answer(items: list[ReviewItem], labels: dict[str, str]) -> None:
    """Send what was chosen, or say what is missing."""
    chosen = {item.prediction_id: st.session_state.get(_key(item)) for item in items}
    typed = {name: label for name, label in chosen.items() if label}
    is_new = bool(st.session_state.get(_IS_NEW))
    # The known classes that begin with a typed text; a label from the list is already a class.
    begun = {
        name: [] if is_new or label in labels else classes_begun(label, labels)
        for name, label in typed.items()
    }
    if unclear := sorted({typed[name] for name, classes in begun.items() if len(classes) > 1}):
        st.warning(
            f"Choose from the list what “{as_markdown(unclear[0])}” is: more than one class begins "
            "like that.",
            icon=":material/touch_app:",
        )
    elif typed:
        _confirm({name: begun[name][0] if begun[name] else typed[name] for name in typed})
        st.rerun()
    else:
        st.warning(
            "Nothing to confirm yet: choose what at least one of the photos shows.",
            icon=":material/touch_app:",
        )


def _placeholder(item: ReviewItem, labels: dict[str, str]) -> str:
    if item.reason == "sampled":
        return "What is it?"
    return "Left out" if item.reason == "unsure" else f"{labels[item.suggested_label]}?"


def _alt(item: ReviewItem) -> str:
    if item.reason == "sampled":
        return item.filename
    return f"{item.filename}: perhaps {class_label(item.suggested_label)}"


def _confirm(labels: dict[str, str]) -> None:
    state.keep_success(_AREA, None)

    def action() -> None:
        answer = cached_api.api().confirm_labels(
            labels, new_class=bool(st.session_state.get(_IS_NEW))
        )
        codes = {error.code for error in answer.errors}
        st.session_state[_LOOKS_KNOWN] = bool(codes & _QUESTIONS)
        message = f"{pluralize(answer.confirmed_count, 'label')} confirmed."
        if answer.errors:
            reasons = " ".join(sorted({error.detail for error in answer.errors}))
            message += f" {pluralize(len(answer.errors), 'label')} not accepted: {reasons}"
        state.keep_success(_AREA, message)

    run_action(_AREA, action)
    _clear()


def _key(item: ReviewItem) -> str:
    return f"label_{item.prediction_id}"
