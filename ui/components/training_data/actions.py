"""Relabelling and removing the training images that a person picked."""

from collections.abc import Callable

import loaders
import state
import streamlit as st
from resources import dataset
from resources.dataset import Image
from words import class_words, counted

from components.attempts import attempt, show_problem
from components.classes import choose_class

_AREA = "gallery"


def actions(images: list[Image], total: int, classes: list[str]) -> None:
    """What can be done with the picked ones of `images`, of which there are `total` in all."""
    picked = [image.id for image in images if st.session_state.get(pick_key(image.id))]
    every = len(picked) == len(images) > 0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{counted(total, 'photo')}**" + (f", {len(picked)} chosen" if picked else "")
        )
        st.button(
            "Choose none" if every else "Choose all shown",
            type="tertiary",
            on_click=_pick_all,
            args=([image.id for image in images], not every),
        )
        with st.popover("Relabel", icon=":material/label:", disabled=not picked):
            chosen = choose_class(
                f"The right class of {counted(len(picked), 'photo')}", classes, state.NEW_CLASS
            )
            st.button("Relabel", disabled=not chosen, on_click=_relabel, args=(picked, chosen))
        if st.button("Remove", icon=":material/delete:", disabled=not picked):
            _confirm_removal(picked)
    if done := state.done(_AREA):
        st.success(done, icon=":material/check_circle:")
    show_problem(_AREA, "This cannot be done")


@st.dialog("Remove for good?")
def _confirm_removal(ids: list[str]) -> None:
    st.write(
        f"{counted(len(ids), 'photo')} will be removed from the training data, and cannot be "
        "brought back. Models that have learned from them stay as they are."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep"):
            st.rerun()
        remove = f"Remove {counted(len(ids), 'photo')}"
        if st.button(remove, type="primary", on_click=_remove, args=(ids,)):
            st.rerun()


def _relabel(ids: list[str], class_name: str) -> None:
    def action() -> None:
        told = dataset.relabel(loaders.api(), ids, class_name)
        words = f"{counted(told.relabelled, 'photo')} relabelled: {class_words(told.class_name)}."
        state.keep_done(_AREA, words)

    _carry_out(action, ids)


def _remove(ids: list[str]) -> None:
    def action() -> None:
        told = dataset.remove(loaders.api(), ids)
        state.keep_done(_AREA, f"{counted(told.removed, 'photo')} removed.")

    _carry_out(action, ids)


def _carry_out(action: Callable[[], None], ids: list[str]) -> None:
    state.keep_done(_AREA, None)
    if attempt(_AREA, action):
        _pick_all(ids, False)
    loaders.forget_training_data()


def _pick_all(ids: list[str], picked: bool) -> None:
    for image_id in ids:
        st.session_state[pick_key(image_id)] = picked


def pick_key(image_id: str) -> str:
    """The key of the checkbox that picks an image."""
    return f"pick_{image_id}"
