"""Asks where on a photo a fruit is: a person draws a box, or sets its edges."""

from collections.abc import Sequence

import corrections
import state
import streamlit as st
from api_models import FruitBox, ImageSize, PixelBox
from charts.drawing import drawing

_DRAW, _EDGES = "Draw the box", "Set its edges"
# The existing boxes, with their colours.
Boxes = Sequence[tuple[PixelBox | FruitBox, str]]


def place_of_fruit(photo: bytes, image: ImageSize, boxes: Boxes) -> PixelBox | None:
    """The box that the person gives, in pixels of a photo of the size `image`; None if there is
    none.

    `photo` is a smaller JPEG of it.
    """
    how = st.segmented_control(
        "How to show where it is",
        [_DRAW, _EDGES],
        default=_DRAW,
        required=True,
        key=state.HOW_TO_DRAW,
        label_visibility="collapsed",
    )
    return _draw(photo, image, boxes) if how == _DRAW else _set_edges(photo, image, boxes)


def _draw(photo: bytes, image: ImageSize, boxes: Boxes) -> PixelBox | None:
    st.write("Drag over the fruit, from one corner to the opposite one.")
    drawn = _chart(photo, image, boxes, None)
    if not drawn:
        return None
    box = corrections.box_between(drawn[-1]["x"], drawn[-1]["y"], image)
    if box is None:
        st.warning("This box is too small. Draw it around the whole fruit.")
    return box


def _set_edges(photo: bytes, image: ImageSize, boxes: Boxes) -> PixelBox | None:
    """Sliders as an alternative to drawing, for keyboards and exact edges."""
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
    boxes: Boxes,
    box: PixelBox | None,
) -> list[dict[str, list[float]]]:
    """Show the photo, and return the boxes drawn on it."""
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
