"""Adding a missed fruit: its place on the photo, and its class."""

from collections.abc import Sequence

import cached_api
import corrections
import fruits
import state
import streamlit as st
from api_models import ImageSize, Instance, PixelBox
from charts.style import LEVELS, UNKNOWN_LEVEL

from components.box_drawing import place_of_fruit
from components.class_picker import choose_class, is_new_class


@st.dialog("A fruit that was missed", width="medium", on_dismiss=state.open_fruit)
def missed_fruit(
    photo: bytes, image: ImageSize, found: list[Instance], marked: Sequence[corrections.Marked]
) -> None:
    """The dialog. `photo` is a preview, `image` the size of the whole photo."""
    boxes = [
        (one.fruit.box, LEVELS.get(fruits.level(one.fruit) or "", UNKNOWN_LEVEL).colour)
        for one in marked
    ]
    box = place_of_fruit(photo, image, boxes)
    names = {*cached_api.known_classes()}.union(*(fruit.probabilities for fruit in found))
    chosen = choose_class("What is it?", sorted(names), state.MISSED_CLASS)
    st.caption(
        "Without a class, only a thorough retraining learns from it: that there is a fruit here."
    )
    if st.button(
        "Add this fruit",
        type="primary",
        icon=":material/add:",
        disabled=box is None,
        on_click=_add,
        args=(found, box, chosen),
    ):
        st.rerun()


def _add(found: list[Instance], box: PixelBox, class_name: str | None) -> None:
    if state.opened_fruit() != state.MISSED:
        return  # Added already: a second click.
    steps = state.corrections()
    step = corrections.Step(
        corrections.next_number(found, steps),
        class_name,
        box,
        new_class=is_new_class(state.MISSED_CLASS),
    )
    state.keep_corrections([*steps, step])
