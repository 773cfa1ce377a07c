"""Adding a fruit that was missed: its place on the photo, and its class."""

from collections.abc import Sequence

import cached_api
import corrections
import fruits
import state
import streamlit as st
from api_models import ImageSize, Instance, PixelBox
from charts.drawing import drawing
from charts.style import LEVELS, UNKNOWN_LEVEL

from components.class_picker import choose_class, is_new_class

_DRAW, _EDGES = "Draw the box", "Set its edges"


@st.dialog("A fruit that was missed", width="medium", on_dismiss=state.open_fruit)
def missed_fruit(
    photo: bytes, image: ImageSize, found: list[Instance], marked: Sequence[corrections.Marked]
) -> None:
    """The dialog. `photo` is a preview, `image` the size of the whole photo."""
    boxes = [
        (one.fruit.box, LEVELS.get(fruits.level(one.fruit) or "", UNKNOWN_LEVEL).colour)
        for one in marked
    ]
    how = st.segmented_control(
        "How to show where it is",
        [_DRAW, _EDGES],
        default=_DRAW,
        required=True,
        key=state.HOW_TO_DRAW,
        label_visibility="collapsed",
    )
    box = _draw(photo, image, boxes) if how == _DRAW else _set_edges(photo, image, boxes)
    names = {*cached_api.known_classes()}.union(*(fruit.probabilities for fruit in found))
    chosen = choose_class("What is it?", sorted(names), state.MISSED_CLASS)
    st.caption("Without a class its place is kept, but the next model learns nothing of it.")
    if st.button(
        "Add this fruit",
        type="primary",
        icon=":material/add:",
        disabled=box is None,
        on_click=_add,
        args=(found, box, chosen),
    ):
        st.rerun()


def _draw(photo: bytes, image: ImageSize, boxes: Sequence[tuple[PixelBox, str]]) -> PixelBox | None:
    st.write("Drag over the fruit, from one corner to the opposite one.")
    drawn = _chart(photo, image, boxes, None)
    if not drawn:
        return None
    box = corrections.box_between(drawn[-1]["x"], drawn[-1]["y"], image)
    if box is None:
        st.warning("This box is too small. Draw it around the whole fruit.")
    return box


def _set_edges(
    photo: bytes, image: ImageSize, boxes: Sequence[tuple[PixelBox, str]]
) -> PixelBox | None:
    """Without drawing: for a keyboard, or to be exact."""
    across = st.slider("From left to right", 0, 100, (35, 65), format="%d %%", key="edges-across")
    down = st.slider("From top to bottom", 0, 100, (35, 65), format="%d %%", key="edges-down")
    box = corrections.box_between(
        [edge * image.width / 100 for edge in across],
        [edge * image.height / 100 for edge in down],
        image,
    )
    _chart(photo, image, boxes, box)
    return box


def _chart(
    photo: bytes,
    image: ImageSize,
    boxes: Sequence[tuple[PixelBox, str]],
    box: PixelBox | None,
) -> list[dict[str, list[float]]]:
    """The photo; what was drawn on it."""
    st.html(
        f"<style>.st-key-drawing {{ aspect-ratio: {image.width} / {image.height}; "
        "max-height: 50vh; overflow: hidden; }"
        ".st-key-drawing .js-plotly-plot .drag { touch-action: none; }</style>"
    )
    with st.container(key="drawing"):
        event = st.plotly_chart(
            drawing(photo, image, boxes, box),
            key="drawn",
            height="stretch",
            on_select="rerun",
            selection_mode="box",
            config={"displayModeBar": False},
            alt="The photo with the boxes that it has. Drag to draw another.",
        )
    return list(event["selection"]["box"])


def _add(found: list[Instance], box: PixelBox, class_name: str | None) -> None:
    steps = state.corrections()
    step = corrections.Step(
        corrections.next_number(found, steps),
        class_name,
        box,
        new_class=is_new_class(state.MISSED_CLASS),
    )
    state.keep_corrections([*steps, step])
