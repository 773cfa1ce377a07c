"""The training images: look, relabel, remove."""

import loaders
import state
import streamlit as st
from problems import ApiProblem
from resources import dataset
from resources.dataset import ORIGINS, SPLITS, Image
from words import class_labels, class_words, sentence

from components.messages import empty_state, problem_message
from components.pictures import pictures
from components.training_data.actions import actions, pick_key

PAGE = 24
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
    wanted = (class_name or None, split or None, origin or None)
    number = st.session_state.get(pager, 1)
    page = loaders.training_images(*wanted, (number - 1) * PAGE, PAGE)
    pages = max(1, -(-page.total // PAGE))
    if number > pages:
        # The last of this page were removed.
        st.session_state[pager] = pages
        page = loaders.training_images(*wanted, (pages - 1) * PAGE, PAGE)
    if not page.total:
        st.info("No photo is like that. Choose another filter.", icon=":material/filter_alt:")
        return
    actions(page.images, page.total, known.classes)
    pictures(
        page.images,
        path=lambda image: dataset.photograph_path(image.id),
        alt=lambda image: f"{class_words(image.class_name)}: {image.filename}",
        below=_below,
    )
    if pages > 1:
        st.pagination(pages, key=pager)


def _below(image: Image) -> None:
    st.checkbox(
        class_words(image.class_name),
        key=pick_key(image.id),
        help=f"{image.filename}, {image.width} x {image.height} pixels",
    )
    st.caption(f"{sentence(image.split)} · {_ORIGIN_WORDS[image.origin]}")
