"""Charts, grids of photos, and tables to download, on a page."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import cached_api
import plotly.graph_objects as go
import streamlit as st
from plain_text import as_markdown

# Inserted once on every page. Streamlit's chart text and the white on the dark theme's green lack
# contrast, and the keyboard focus in its menu is hardly visible. Tables break long words, since the
# keyboard cannot reach text that is cut off.
READABLE = """<style>
button[kind^="primary"]:enabled { color: light-dark(#fff, #0c1a12) !important; }
[data-testid="stTable"] td * { overflow-wrap: anywhere !important; }
[class*="st-key-chart-"] text { fill: currentColor !important; }
[data-testid^="stTopNav"] :is(a, button):focus-visible,
:is(a, button)[data-testid^="stTopNav"]:focus-visible,
[data-testid="stSidebarNavLink"]:focus-visible {
  outline: 3px solid currentColor !important; outline-offset: 2px; }
</style>"""
# Streamlit goes by the browser's name to close a menu that covers the page: it does so on phones,
# but not on small tablets or in narrow windows. The menu covers pages up to 768 pixels wide.
CLOSES_MENU = """<script>
window.ripelineMenu ??= document.addEventListener("click", event => {
  if (innerWidth > 768 || !event.target.closest('[data-testid="stSidebarNavLink"]')) return;
  setTimeout(() => document.querySelector('[data-testid="stSidebar"][data-collapsed="false"]')
    ?.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click(), 100);
}) ?? true;
</script>"""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Two fit side by side on a phone.
_CELL_PIXELS = 170
# Cropped to squares, so that the rows are even.
_SQUARE = (
    "<style>.st-key-photos img "
    "{ aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }</style>"
)
# Not cropped, since a box may be at the edge.
_WHOLE = "<style>.st-key-photos img { object-fit: contain !important; }</style>"


class HasTotal(Protocol):
    @property
    def total(self) -> int: ...


Page = TypeVar("Page", bound=HasTotal)


def open_page(pager: str, size: int, load: Callable[[int, int], Page]) -> Page:
    """The page of a list that is open, by the key of its `pager`. The last page if all items of
    that page were removed meanwhile. `load` gets an offset and a limit."""
    number = st.session_state.get(pager, 1)
    page = load((number - 1) * size, size)
    pages = max(1, -(-page.total // size))
    if number > pages:
        st.session_state[pager] = pages
        page = load((pages - 1) * size, size)
    return page


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart without a toolbar."""
    with st.container(key=f"chart-{key}"):
        st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def selectable_chart(figure: go.Figure, key: str, alt: str) -> int | None:
    """A chart with selectable dots; returns the `customdata` of the selected dot."""
    with st.container(key=f"chart-{key}"):
        event = st.plotly_chart(
            figure,
            key=key,
            on_select="rerun",
            selection_mode="points",
            config={"displayModeBar": False},
            alt=alt,
        )
    points = event["selection"]["points"]
    return int(points[0]["customdata"]) if points and "customdata" in points[0] else None


def excel_button(
    content: Callable[[], bytes], name: str, key: str, *, disabled: bool = False, help: str = ""
) -> None:
    """A button to download a workbook, which is made on the click. `name` has no extension."""
    st.download_button(
        "Excel (XLSX)",
        content,
        f"{name}.xlsx",
        _XLSX,
        key=key,
        on_click="ignore",
        icon=":material/download:",
        disabled=disabled,
        help=help or None,
    )


class HasFilename(Protocol):
    @property
    def filename(self) -> str: ...


Item = TypeVar("Item", bound=HasFilename)


def photo_grid(
    items: Sequence[Item],
    *,
    path: Callable[[Item], str],
    alt: Callable[[Item], str],
    below: Callable[[Item], None],
    drawn: Callable[[Item, bytes], bytes] = lambda _, thumbnail: thumbnail,
    whole: bool = False,
) -> None:
    """A grid of photos from the API, at `path`. `drawn` makes the picture from the thumbnail,
    `below` draws what is under it; with `whole`, pictures are not cropped to squares."""
    thumbnails = cached_api.thumbnails().get([path(item) for item in items])
    st.html(_SQUARE + (_WHOLE if whole else ""))
    with st.container(horizontal=True, key="photos", gap="small"):
        for item, thumbnail in zip(items, thumbnails, strict=True):
            with st.container(width=_CELL_PIXELS, gap="xsmall"):
                if thumbnail is None:
                    name = as_markdown(item.filename)
                    st.caption(f":material/hide_image: {name} cannot be shown right now.")
                else:
                    st.image(drawn(item, thumbnail), width="stretch", alt=alt(item))
                below(item)
