"""The history, cached for a few seconds and shared by all sessions."""

import streamlit as st
from api_models import Explanation, HistoryItem, PredictionPage
from cached_api import api, pictures, thumbnails
from history import Search
from history_client import HistoryClient, photo_path
from photos import thumbnail
from transfer.grading import Graded, restored

# For a batch that is shown again; a thumbnail is a few kilobytes.
MAX_THUMBNAILS = 300


def client() -> HistoryClient:
    return HistoryClient(api())


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def find(search: Search, after: str | None, limit: int) -> PredictionPage:
    """A page of the search results."""
    return client().find(search, after, limit)


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def get(prediction_id: str) -> HistoryItem:
    return client().get(prediction_id)


@st.cache_data(ttl=5, max_entries=4, show_spinner=False)
def batch(batch_id: str) -> list[Graded]:
    """The rows of a batch in the order sent; files that could not be graded are not stored."""
    items = client().find_all(Search(batch_id=batch_id, order="oldest"))
    kept = [item.prediction_id for item in items if item.photograph_kept][:MAX_THUMBNAILS]
    pixels = dict(zip(kept, thumbnails().get([photo_path(one) for one in kept]), strict=True))
    small = {name: thumbnail(data) for name, data in pixels.items() if data}
    return [restored(item, small.get(item.prediction_id)) for item in items]


def picture(item: HistoryItem) -> bytes | None:
    """The photo in its stored size; None if it is no longer stored."""
    if not item.photograph_kept:
        return None
    return pictures().get([photo_path(item.prediction_id)])[0]


@st.cache_data(max_entries=16, show_spinner=False)
def explanation(prediction_id: str, picture: bytes) -> Explanation | None:
    """Where the grader looked. Raises ApiError, also if another version is now in use."""
    return client().explain(get(prediction_id), picture)


def clear() -> None:
    """Clear what an answer or a dismissal may have changed."""
    find.clear()
    get.clear()
