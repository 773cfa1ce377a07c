"""The photos with boxes around their fruits: browse, correct, remove."""

import boxed_photos as boxed
import cached_api
import photos
import state
import streamlit as st
from api_models import BoxedPhotoAnswer
from boxed_client import boxed_photo_path
from corrections import BoxChanges
from errors import ApiError
from formatting import capitalize, pluralize, use_label
from plain_text import as_markdown

from components import undo
from components.display import photo_grid
from components.messages import empty_state, show_error
from components.training_data import removed
from components.training_data.boxed_edit import AREA, change_boxes

PAGE_SIZE = 24


def boxed_photos() -> None:
    """The list, or why it cannot be shown, and what was removed."""
    undo.offer(AREA)
    _list()
    removed.removed_lately(AREA)


def _list() -> None:
    try:
        number = st.session_state.get(state.BOXED_PAGE, 1)
        page = cached_api.boxed_photos((number - 1) * PAGE_SIZE, PAGE_SIZE)
        pages = max(1, -(-page.total // PAGE_SIZE))
        if number > pages:
            # The last photos of this page were removed.
            st.session_state[state.BOXED_PAGE] = pages
            page = cached_api.boxed_photos((pages - 1) * PAGE_SIZE, PAGE_SIZE)
    except ApiError as error:
        show_error(error, rejected="The photos cannot be listed")
        return
    if message := state.take_success(AREA):
        st.success(as_markdown(message), icon=":material/check_circle:")
    if not page.total:
        empty_state(
            "select",
            "No photos with boxes yet",
            "On the Predict page, grade a photo of several fruits, and correct or confirm what was "
            "found. Sets with boxes (COCO, Pascal VOC or YOLO) are imported with `python -m "
            "api.commands.dataset import-boxes`.",
        )
        return
    st.markdown(
        f"**{pluralize(page.total, 'photo')} with boxes.** On the Retrain page, “Finding "
        "fruit” and “Thorough” learn from them where the fruits of a photo are; “Quick” and "
        "“Thorough” learn the fruits that have a class."
    )
    photo_grid(
        page.boxed_photos,
        path=lambda photo: boxed_photo_path(photo.id),
        alt=lambda photo: f"{photo.filename}: {boxed.describe(photo)}",
        below=_below,
        drawn=lambda photo, thumbnail: photos.with_boxes(thumbnail, boxed.drawn(photo)),
        whole=True,
    )
    if pages > 1:
        st.pagination(pages, key=state.BOXED_PAGE)
    changes = state.box_changes()
    for photo in page.boxed_photos:
        if changes and photo.id == changes.photo_id:
            change_boxes(photo, changes)


def _below(photo: BoxedPhotoAnswer) -> None:
    st.caption(
        f"{as_markdown(capitalize(boxed.describe(photo)))}  \n{use_label(photo.split)} · "
        + ("all boxed" if photo.complete else "perhaps not all boxed")
    )
    st.button(
        "Change",
        key=f"change_{photo.id}",
        icon=":material/edit:",
        help=f"{as_markdown(photo.filename)}, {photo.width} x {photo.height} pixels",
        on_click=_open,
        args=(photo,),
    )


def _open(photo: BoxedPhotoAnswer) -> None:
    state.keep_box_changes(BoxChanges.of(photo))
    st.session_state[state.BOXED_COMPLETE] = photo.complete
    st.session_state[state.BOXED_ADD] = False
    state.keep_action_error(AREA, None)
