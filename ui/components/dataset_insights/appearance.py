"""Light and colour by class, and the sizes of the photos."""

import state
import streamlit as st
from api_models import Appearance, Sizes
from charts.appearance import Property, appearance_by_class, size_bubbles
from formatting import class_label, pluralize
from plain_text import as_markdown

from components.display import chart

_LABELS: dict[Property, str] = {
    "brightness": "Brightness",
    "saturation": "Saturation",
    "hue": "Hue",
}
_SCALES: dict[Property, str] = {
    "brightness": "0 % is black, 100 % white.",
    "saturation": "0 % is grey, 100 % the purest colour.",
    "hue": "0° is red, 60° yellow, 120° green.",
}


def light_and_size(appearance: Appearance, sizes: Sizes) -> None:
    """Brightness and colour by class, and the sizes of the photos."""
    st.header("Light and colour", anchor=False)
    st.write(as_markdown(appearance.story))
    if appearance.by_class:
        shown = st.segmented_control(
            "Show",
            list(_LABELS),
            default="brightness",
            required=True,
            format_func=lambda name: _LABELS[name],
            key=state.APPEARANCE,
            persist_state="session",
            label_visibility="collapsed",
        )
        medians = ", ".join(
            f"{class_label(row.class_name)} {getattr(row, shown).p50:.2f}"
            for row in appearance.by_class
        )
        chart(
            appearance_by_class(appearance.by_class, shown),
            "light-and-colour",
            f"{_LABELS[shown]} by class; medians: {medians}.",
        )
        st.caption(
            f"{_SCALES[shown]} A box holds the middle half of a class, its lines all but the "
            "lowest and the highest twentieth. The white of a studio does not count."
        )
    st.header("Photo sizes", anchor=False)
    st.write(as_markdown(sizes.story))
    if sizes.sizes:
        chart(
            size_bubbles(sizes.sizes, sizes.input_size),
            "sizes",
            f"Width and height of {pluralize(sizes.measured, 'photo')}; the network sees "
            f"{sizes.input_size} pixels either way.",
        )
        st.caption("Each dot is a size; a larger dot holds more photos.")
