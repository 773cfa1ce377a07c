"""The training images: look, relabel, remove."""

from collections.abc import Callable

import loaders
import state
import streamlit as st
from attempts import attempt, show_problem
from components import empty_state, problem_message
from components_classes import choose_class
from components_pictures import pictures
from problems import ApiProblem
from resources import dataset
from resources.dataset import ORIGINS, SPLITS, Image
from words import class_labels, class_words, counted, sentence

PAGE = 24
_AREA = "gallery"
_ORIGIN_WORDS = {"upload": "Upload", "feedback": "Feedback", "review": "Review queue"}


def gallery() -> None:
    """The gallery, or what stands in its way."""
    try:
        known = loaders.training_data()
        if known.images:
            _shown(known)
        else:
            empty_state(
                "photo_library",
                "No photos of your own yet",
                "What you add, and what you correct on the Predict page, appears here.",
            )
    except ApiProblem as problem:
        problem_message(problem, refused="The photos cannot be listed")


def _shown(known: dataset.Summary) -> None:
    labels = class_labels(known.by_class)
    by_class, by_split, by_origin = st.columns([2, 1, 1])
    class_name = by_class.selectbox(
        "Class",
        ["", *labels],
        format_func=lambda name: labels.get(name, name) if name else "All classes",
        key=state.GALLERY_CLASS,
        persist_state="session",
    )
    split = by_split.selectbox(
        "Split",
        ["", *SPLITS],
        format_func=lambda name: sentence(name) if name else "All splits",
        key=state.GALLERY_SPLIT,
        persist_state="session",
        help="The model learns from train; validation and test are kept to measure it.",
    )
    origin = by_origin.selectbox(
        "Origin",
        ["", *ORIGINS],
        format_func=lambda name: _ORIGIN_WORDS.get(name, name) if name else "All origins",
        key=state.GALLERY_ORIGIN,
        persist_state="session",
    )
    # Another filter begins at its first page.
    pager = f"gallery_page_{class_name}_{split}_{origin}"
    number = st.session_state.get(pager, 1)
    page = loaders.training_images(
        class_name or None, split or None, origin or None, (number - 1) * PAGE, PAGE
    )
    if not page.total:
        st.info("No photo is like that. Choose another filter.", icon=":material/filter_alt:")
        return
    _actions(page.images, page.total, known.classes)
    pictures(
        page.images,
        path=lambda image: dataset.photograph_path(image.id),
        alt=lambda image: f"{class_words(image.class_name)}: {image.filename}",
        below=_below,
    )
    pages = -(-page.total // PAGE)
    if pages > 1:
        st.pagination(pages, key=pager)


def _below(image: Image) -> None:
    st.checkbox(
        class_words(image.class_name),
        key=_pick(image.id),
        help=f"{image.filename}, {image.width} x {image.height} pixels",
    )
    st.caption(f"{sentence(image.split)} · {_ORIGIN_WORDS[image.origin]}")


def _actions(images: list[Image], total: int, classes: list[str]) -> None:
    picked = [image.id for image in images if st.session_state.get(_pick(image.id))]
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
        st.session_state[_pick(image_id)] = picked


def _pick(image_id: str) -> str:
    return f"pick_{image_id}"
