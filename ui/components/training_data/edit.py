"""Relabelling and removing the training photos that a person selected."""

from collections.abc import Callable

import cached_api
import state
import streamlit as st
from api_models import TrainingImage
from formatting import class_label, pluralize
from plain_text import as_markdown

from components.class_picker import choose_class, is_new_class
from components.messages import run_action, show_action_error

_AREA = "gallery"


def edit_bar(images: list[TrainingImage], total: int, classes: list[str]) -> None:
    """The actions on the selected ones of `images`, of `total` in all."""
    selected = [image.id for image in images if st.session_state.get(selection_key(image.id))]
    all_selected = len(selected) == len(images) > 0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{pluralize(total, 'photo')}**" + (f", {len(selected)} chosen" if selected else "")
        )
        st.button(
            "Choose none" if all_selected else "Choose all shown",
            type="tertiary",
            on_click=_select,
            args=([image.id for image in images], not all_selected),
        )
        with st.popover("Relabel", icon=":material/label:", disabled=not selected):
            chosen = choose_class(
                f"The right class of {pluralize(len(selected), 'photo')}", classes, state.NEW_CLASS
            )
            st.button("Relabel", disabled=not chosen, on_click=_relabel, args=(selected, chosen))
        if st.button("Remove", icon=":material/delete:", disabled=not selected):
            _confirm_removal(selected)
    if message := state.take_success(_AREA):
        st.success(as_markdown(message), icon=":material/check_circle:")
    show_action_error(_AREA, "This cannot be done")


def selection_key(image_id: str) -> str:
    """The key of the checkbox that selects an image."""
    return f"select_{image_id}"


@st.dialog("Remove for good?")
def _confirm_removal(ids: list[str]) -> None:
    st.write(
        f"{pluralize(len(ids), 'photo')} will be removed from the training data, and cannot be "
        "brought back. Models that have learned from them stay as they are."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep"):
            st.rerun()
        remove = f"Remove {pluralize(len(ids), 'photo')}"
        if st.button(remove, type="primary", on_click=_remove, args=(ids,)):
            st.rerun()


def _relabel(ids: list[str], class_name: str) -> None:
    def action() -> None:
        answer = cached_api.api().relabel_images(
            ids, class_name, new_class=is_new_class(state.NEW_CLASS)
        )
        count = pluralize(answer.relabelled, "photo")
        state.keep_success(_AREA, f"{count} relabelled: {class_label(answer.class_name)}.")

    _run(action, ids)


def _remove(ids: list[str]) -> None:
    def action() -> None:
        answer = cached_api.api().remove_images(ids)
        state.keep_success(_AREA, f"{pluralize(answer.removed, 'photo')} removed.")

    _run(action, ids)


def _run(action: Callable[[], None], ids: list[str]) -> None:
    state.keep_success(_AREA, None)
    if run_action(_AREA, action):
        _select(ids, False)
    cached_api.clear_training_data()


def _select(ids: list[str], selected: bool) -> None:
    for image_id in ids:
        st.session_state[selection_key(image_id)] = selected
