"""Changing the boxes of one photo: classes, surplus boxes, missed fruits."""

import boxed_photos as boxed
import cached_api
import cached_removed
import photos
import state
import streamlit as st
from api_models import BoxedPhotoAnswer, FruitBox, ImageSize, PixelBox
from boxed_client import BoxedPhotoClient
from corrections import BoxChanges
from errors import ApiError
from formatting import class_labels

from components.box_drawing import place_of_fruit
from components.class_picker import choose_class, is_new_class
from components.messages import run_action, show_action_error
from components.training_data import removed

AREA = "boxed"
_ONLY_MARKED = "No class: only marked as a fruit"


@st.dialog("The boxes of a photo", width="medium", on_dismiss=state.keep_box_changes)
def change_boxes(photo: BoxedPhotoAnswer, changes: BoxChanges) -> None:
    """The dialog; changes take effect once they are saved."""
    try:
        picture = cached_api.boxed_picture(photo.id)
    except ApiError as error:
        st.error(error.markdown_with("This photo cannot be shown"), icon=":material/error:")
        picture = None
    if picture and not st.session_state[state.BOXED_ADD]:
        _show(picture, photo, changes)
    _list(changes)
    if picture:
        _add(picture, photo, changes)
    complete = st.checkbox(
        "All fruits have a box" if changes.boxes else "There is no fruit in this photo",
        key=state.BOXED_COMPLETE,
        help="Then what is outside of the boxes is learned as no fruit.",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        remove = st.button("Remove the photo", icon=":material/delete:", type="tertiary")
        save = st.button(
            "Save", type="primary", icon=":material/save:", disabled=not (changes.boxes or complete)
        )
    if save and run_action(AREA, lambda: _save(changes, complete=complete)):
        _close()
    if remove and run_action(AREA, lambda: _remove(photo)):
        _close()
    show_action_error(AREA, "This cannot be saved")


def _show(picture: bytes, photo: BoxedPhotoAnswer, changes: BoxChanges) -> None:
    drawn = [
        boxed.draw_box(box, class_name, photo.width, photo.height, number)
        for number, (box, class_name) in changes.boxes.items()
    ]
    described = ", ".join(class_name or "no class" for _, class_name in changes.boxes.values())
    st.image(
        photos.with_boxes(picture, drawn),
        width="stretch",
        alt=f"{photo.filename} with a box for each fruit: {described}",
    )


def _list(changes: BoxChanges) -> None:
    """A row for each box: its class, and a button to remove it."""
    present = {name for _, name in changes.boxes.values() if name is not None}
    labels = class_labels(sorted({*cached_api.known_classes(), *present}))
    for number, (_, class_name) in list(changes.boxes.items()):
        key = f"boxed_class_{changes.photo_id}_{number}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                f"Fruit {number}",
                [None, *labels],
                index=[None, *labels].index(class_name),
                format_func=lambda name: labels.get(name, name) if name else _ONLY_MARKED,
                key=key,
                on_change=_named,
                args=(changes, number, key),
            )
            st.button(
                "No fruit",
                key=f"boxed_remove_{number}",
                icon=":material/close:",
                on_click=changes.remove,
                args=(number,),
            )


def _add(picture: bytes, photo: BoxedPhotoAnswer, changes: BoxChanges) -> None:
    if not st.toggle("Add a fruit that was missed", key=state.BOXED_ADD):
        return
    boxes = [
        (box, boxed.level_style(class_name).colour) for box, class_name in changes.boxes.values()
    ]
    box = place_of_fruit(picture, ImageSize(width=photo.width, height=photo.height), boxes)
    chosen = choose_class("What is it?", sorted(cached_api.known_classes()), state.BOXED_CLASS)
    st.button(
        "Add this fruit",
        icon=":material/add:",
        disabled=box is None,
        on_click=_added,
        args=(changes, box, chosen),
    )


def _named(changes: BoxChanges, number: int, key: str) -> None:
    changes.name(number, st.session_state[key])


def _added(changes: BoxChanges, box: PixelBox, class_name: str | None) -> None:
    if not st.session_state[state.BOXED_ADD]:
        return  # Added already: a second click.
    changes.new_class |= is_new_class(state.BOXED_CLASS)
    changes.add(FruitBox(**box.model_dump()), class_name)
    st.session_state[state.BOXED_ADD] = False


def _save(changes: BoxChanges, *, complete: bool) -> None:
    answer = BoxedPhotoClient(cached_api.api()).change(
        changes.photo_id, changes.body(complete=complete)
    )
    state.keep_success(AREA, f"Saved: {answer.filename}, {boxed.describe(answer)}.")


def _remove(photo: BoxedPhotoAnswer) -> None:
    kept_days = cached_removed.newest().kept_days
    cached_removed.remove_boxed(photo.id)
    message = f"{photo.filename} was removed."
    removed.after_removal(AREA, message, [photo.id], is_kept=kept_days > 0)


def _close() -> None:
    state.keep_box_changes()
    cached_api.clear_training_data()
    st.rerun()
