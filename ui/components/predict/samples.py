"""Sample photos for the first visit, and what the model in use knows.

The photos are drawn by `tests/drawn_tray.py`.
"""

from functools import cache
from pathlib import Path

import cached_api
import state
import streamlit as st
from errors import ApiError
from formatting import list_names
from photos import Photo
from plain_text import as_markdown

_FOLDER = Path(__file__).parents[2] / "assets" / "samples"
_SAMPLES = {"banana": "A banana", "orange": "An orange", "tray": "A tray"}
# Three fit side by side on a phone.
_CELL_PIXELS = 106
_SAME_HEIGHT = (
    "<style>.st-key-samples img { aspect-ratio: 4 / 3; object-fit: cover; border-radius: 0.5rem; }"
    '.st-key-samples [data-testid="stElementToolbar"] { display: none; }</style>'
)


def samples() -> None:
    """Drawn photos to try, each with a button."""
    st.html(_SAME_HEIGHT)
    st.caption(
        "No fruit at hand? Try a sample photo, drawn by us. It is not recorded, and nothing is "
        "learned from it."
    )
    with st.container(horizontal=True, key="samples"):
        for name, label in _SAMPLES.items():
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                photo = _photo(name)
                st.image(photo.data, width="stretch", alt=f"A drawing: {label.lower()}")
                st.button(
                    label,
                    key=f"sample_{name}",
                    width="stretch",
                    on_click=state.grade_photo,
                    args=(photo,),
                )


def what_it_knows() -> str:
    """In Markdown: "The model knows apples, bananas and oranges."; empty if the API does not
    say."""
    try:
        fruits = cached_api.known_fruits()
    except ApiError:
        return ""
    return f"The model knows {as_markdown(list_names(fruits))}." if fruits else ""


@cache
def _photo(name: str) -> Photo:
    return Photo(f"sample-{name}.jpg", (_FOLDER / f"{name}.jpg").read_bytes(), is_sample=True)
