"""The rows of the history: a page of search results, and turning the pages."""

from functools import partial

import cached_api
import cached_history
import history_state
import streamlit as st
from api_models import HistoryItem, PredictionPage
from formatting import pluralize
from history import Search, details, grade, said
from history_client import MOST_IN_WORKBOOK, photo_path
from plain_text import as_markdown

from components.display import excel_button
from components.messages import empty_state

PAGE_SIZE = 20
_THUMBNAIL_PIXELS = 72
_STYLE = (
    "<style>.st-key-history-rows img { aspect-ratio: 1; object-fit: cover; border-radius: 0.5rem; }"
    '.st-key-history-rows [data-testid="stElementToolbar"] { display: none; }'
    ".st-key-history-rows button { min-height: 44px; }</style>"
)


def rows(search: Search) -> None:
    """The open page, or what to do if nothing was found. Raises ApiError."""
    walk = history_state.walk(search)
    page = cached_history.find(search, walk.after, PAGE_SIZE)
    walk.see(page)
    if not page.predictions and walk.after is None:
        _nothing(search)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_counted(page, walk.place))
        _download(search, page.total)
    paths = [photo_path(item.prediction_id) for item in page.predictions if item.photograph_kept]
    thumbnails = dict(zip(paths, cached_api.thumbnails().get(paths), strict=True))
    st.html(_STYLE)
    with st.container(key="history-rows", gap="small"):
        for place, item in enumerate(page.predictions):
            _row(place, item, thumbnails.get(photo_path(item.prediction_id)))
    if walk.place or walk.has_more:
        with st.container(horizontal=True):
            st.button(
                "Previous page",
                icon=":material/chevron_left:",
                disabled=not walk.place,
                on_click=walk.turn,
                args=(-1,),
            )
            st.button(
                "Next page",
                icon=":material/chevron_right:",
                icon_position="right",
                disabled=not walk.has_more,
                on_click=walk.turn,
                args=(1,),
            )


def _download(search: Search, total: int) -> None:
    """Download all pages."""
    too_many = total > MOST_IN_WORKBOOK
    excel_button(
        partial(cached_history.client().workbook, search),
        "ripeline-grades",
        "history_xlsx",
        help=f"A table holds {MOST_IN_WORKBOOK:,} photos. Choose fewer days." if too_many else "",
        disabled=too_many,
    )


def _row(place: int, item: HistoryItem, thumbnail: bytes | None) -> None:
    title = as_markdown(grade(item))
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        if thumbnail:
            st.image(thumbnail, width=_THUMBNAIL_PIXELS, alt=f"{item.filename}: {grade(item)}")
        else:
            with st.container(width=_THUMBNAIL_PIXELS, horizontal_alignment="center"):
                st.markdown(":material/hide_image:", help="This photo is no longer kept.")
        with st.container(gap=None):
            answer = said(item)
            badge = f" :gray-badge[{as_markdown(answer)}]" if answer else ""
            st.markdown(f"**{title}**{badge}")
            st.caption(f"{as_markdown(details(item))} · {as_markdown(item.filename or 'no name')}")
        st.button(
            "Open",
            key=f"history_{place}",
            width="content",
            on_click=history_state.open_photo,
            args=(item.prediction_id,),
        )


def _counted(page: PredictionPage, place: int) -> str:
    """ "41 to 60 of 20,000 photos"; only the number if there is a single page."""
    total = pluralize(page.total, "photo")
    if not place and page.next is None:
        return total
    first = place * PAGE_SIZE + 1
    return f"{first:,} to {first + len(page.predictions) - 1:,} of {total}"


def _nothing(search: Search) -> None:
    if search == Search(order=search.order):
        empty_state(
            "history",
            "Nothing graded yet",
            "Grade a photo on the Predict page, or photograph a lot on the Inspections page. All "
            "that was graded is listed here.",
        )
    else:
        st.info(
            "No photo matches. Remove a filter, or search for another part of the file name, the "
            "lot or the supplier.",
            icon=":material/filter_alt:",
        )
