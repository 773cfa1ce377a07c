"""Relabelling and removing the training photos that a person selected."""

from collections.abc import Callable

import cached_api
import cached_removed
import state
import streamlit as st
from api_models import TrainingImage
from errors import ApiError
from formatting import pluralize

from components import undo
from components.class_picker import choose_class, is_new_class
from components.messages import run_action, show_error
from components.training_data import removed

AREA = "gallery"
_FOR_GOOD = "for_good"


def edit_bar(images: list[TrainingImage], total: int, classes: list[str]) -> None:
    """The actions on the selected `images`, out of `total`."""
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


def selection_key(image_id: str) -> str:
    """The key of the checkbox that selects an image."""
    return f"select_{image_id}"


@st.dialog("Remove from the training data?")
def _confirm_removal(ids: list[str]) -> None:
    try:
        kept_days = cached_removed.newest().kept_days
    except ApiError as error:
        show_error(error, rejected="Nothing can be removed now")
        return
    for_good = not kept_days
    if kept_days:
        for_good = st.checkbox("Delete for good", key=_FOR_GOOD)
    back = (
        "cannot be brought back" if for_good else f"can be put back for {undo.days_text(kept_days)}"
    )
    st.write(
        f"{pluralize(len(ids), 'photo')} will be removed, and {back}. Models that have learned "
        "from them stay as they are."
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
        removed.after_relabelling(AREA, answer)

    _run(action, ids)


def _remove(ids: list[str]) -> None:
    for_good = bool(st.session_state.get(_FOR_GOOD))

    def action() -> None:
        answer = cached_removed.remove_images(ids, for_good=for_good)
        message = f"{pluralize(answer.removed, 'photo')} removed."
        removed.after_removal(AREA, message, ids, is_kept=answer.kept_days > 0)

    _run(action, ids)


def _run(action: Callable[[], None], ids: list[str]) -> None:
    if not any(st.session_state.get(selection_key(image_id)) for image_id in ids):
        return  # Done already: a second click must not replace how to undo the first.
    state.keep_undo(AREA, None)
    if run_action(AREA, action):
        _select(ids, False)
    cached_api.clear_training_data()


def _select(ids: list[str], selected: bool) -> None:
    for image_id in ids:
        st.session_state[selection_key(image_id)] = selected
