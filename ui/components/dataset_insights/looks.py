"""Light and colour by class, and how large the pictures are."""

import state
import streamlit as st
from charts.looks import Look, looks_by_class, size_bubbles
from resources.insights import Appearance, Sizes
from words import class_words, counted

from components.plots import chart

_LOOKS: dict[Look, str] = {
    "brightness": "Brightness",
    "saturation": "Colourfulness",
    "hue": "Hue",
}
_ABOUT: dict[Look, str] = {
    "brightness": "0 % is black, 100 % white.",
    "saturation": "0 % is grey, 100 % the purest colour.",
    "hue": "0° is red, 60° yellow, 120° green.",
}


def light_and_size(appearance: Appearance, sizes: Sizes) -> None:
    """Brightness and colour by class, and how large the pictures are."""
    st.header("Light and colour", anchor=False)
    st.write(appearance.story)
    if appearance.by_class:
        look = st.segmented_control(
            "Show",
            list(_LOOKS),
            default="brightness",
            required=True,
            format_func=lambda name: _LOOKS[name],
            key=state.LOOK,
            persist_state="session",
            label_visibility="collapsed",
        )
        told = ", ".join(
            f"{class_words(row.class_name)} {getattr(row, look).p50:.2f}"
            for row in appearance.by_class
        )
        chart(
            looks_by_class(appearance.by_class, look),
            "looks",
            f"{_LOOKS[look]} by class; in the middle: {told}.",
        )
        st.caption(
            f"{_ABOUT[look]} A box holds the middle half of a class, its lines all but the lowest "
            "and the highest twentieth. The white of a studio does not count."
        )
    st.header("Picture sizes", anchor=False)
    st.write(sizes.story)
    if sizes.sizes:
        chart(
            size_bubbles(sizes.sizes, sizes.input_size),
            "sizes",
            f"Width against height of {counted(sizes.measured, 'picture')}; the network sees "
            f"{sizes.input_size} pixels either way.",
        )
        st.caption("Each dot is a size; a larger dot holds more pictures.")
