"""A grid of pictures from the API, each with something to do below it."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import loaders
import streamlit as st

# Two side by side fit on a phone.
_CELL_PIXELS = 170
# All as high as wide, whatever their photographs are, so that the rows are even.
_SQUARE = (
    "<style>.st-key-pictures img "
    "{ aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }</style>"
)


class Pictured(Protocol):
    @property
    def filename(self) -> str: ...


Item = TypeVar("Item", bound=Pictured)


def pictures(
    items: Sequence[Item],
    *,
    path: Callable[[Item], str],
    alt: Callable[[Item], str],
    below: Callable[[Item], None],
) -> None:
    """The grid. `path` says where a picture lies, `alt` what it shows; `below` draws the rest."""
    found = loaders.album().pictures([path(item) for item in items])
    st.html(_SQUARE)
    with st.container(horizontal=True, key="pictures", gap="small"):
        for item, picture in zip(items, found, strict=True):
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                if picture is None:
                    st.caption(f":material/hide_image: {item.filename} cannot be shown just now.")
                else:
                    st.image(picture, width="stretch", alt=alt(item))
                below(item)
