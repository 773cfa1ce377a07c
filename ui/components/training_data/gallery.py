"""The training photos: browse, relabel, remove."""

import cached_api
import state
import streamlit as st
from api_models import DatasetSummary, TrainingImage
from client import photo_path
from errors import ApiError
from formatting import class_label, class_labels, use_label
from plain_text import as_markdown

from components import undo
from components.display import photo_grid
from components.messages import empty_state, show_error
from components.training_data import removed
from components.training_data.edit import AREA, edit_bar, selection_key

PAGE_SIZE = 24
_SPLITS = ("train", "validation", "test")
_ORIGINS = {"upload": "Upload", "feedback": "Correction", "review": "Review queue"}


def gallery() -> None:
    """The gallery, or why it cannot be shown."""
    undo.offer(AREA)
    try:
        summary = cached_api.dataset_summary()
        if summary.images:
            _gallery(summary)
        else:
            empty_state(
                "photo_library",
                "No photos of your own yet",
                "Photos that you add here or correct on the Predict page appear here.",
            )
        removed.removed_lately(AREA)
    except ApiError as error:
        show_error(error, rejected="The photos cannot be listed")


def _gallery(summary: DatasetSummary) -> None:
    labels = class_labels(summary.by_class)
    class_column, split_column, origin_column = st.columns([2, 1, 1])
    class_name = class_column.selectbox(
        "Class",
        ["", *labels],
        format_func=lambda name: labels.get(name, name) if name else "All classes",
        key=state.GALLERY_CLASS,
        persist_state="session",
    )
    split = split_column.selectbox(
        "Used",
        ["", *_SPLITS],
        format_func=lambda name: use_label(name) if name else "All uses",
        key=state.GALLERY_SPLIT,
        persist_state="session",
        help="The next model learns from most photos. A few tune it, and a few are kept to measure "
        "it on photos that it has not seen.",
    )
    origin = origin_column.selectbox(
        "Origin",
        ["", *_ORIGINS],
        format_func=lambda name: _ORIGINS.get(name, name) if name else "All origins",
        key=state.GALLERY_ORIGIN,
        persist_state="session",
    )
    # Each filter has its own page number.
    pager = f"gallery_page_{class_name}_{split}_{origin}"
    filters = (class_name or None, split or None, origin or None)
    number = st.session_state.get(pager, 1)
    page = cached_api.training_images(*filters, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    pages = max(1, -(-page.total // PAGE_SIZE))
    if number > pages:
        # The last photos of this page were removed.
        st.session_state[pager] = pages
        page = cached_api.training_images(*filters, (pages - 1) * PAGE_SIZE, PAGE_SIZE)
    if not page.total:
        st.info("No photo matches this filter. Choose another one.", icon=":material/filter_alt:")
        return
    edit_bar(page.images, page.total, cached_api.class_names(summary))
    photo_grid(
        page.images,
        path=lambda image: photo_path(image.id),
        alt=lambda image: f"{class_label(image.class_name)}: {image.filename}",
        below=_below,
    )
    if pages > 1:
        st.pagination(pages, key=pager)


def _below(image: TrainingImage) -> None:
    st.checkbox(
        as_markdown(class_label(image.class_name)),
        key=selection_key(image.id),
        help=f"{as_markdown(image.filename)}, {image.width} x {image.height} pixels",
    )
    st.caption(f"{use_label(image.split)} · {_ORIGINS[image.origin]}")
