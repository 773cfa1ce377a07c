"""Answers of the API about inspections, cached for some seconds."""

from datetime import datetime

import cached_api
import streamlit as st
from api_models import Inspection, InspectionFruitPage, InspectionPage, InspectionPhotoPage
from inspection_client import InspectionClient


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def find(
    search: str, since: datetime | None, until: datetime | None, offset: int, limit: int
) -> InspectionPage:
    """A page of the inspections, newest first."""
    return _client().find(search, since, until, offset, limit)


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def get(inspection_id: str) -> Inspection:
    return _client().get(inspection_id)


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def photos(inspection_id: str, offset: int, limit: int) -> InspectionPhotoPage:
    """A page of an inspection's photos, newest first."""
    return _client().photos(inspection_id, offset, limit)


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def fruits(inspection_id: str, offset: int, limit: int) -> InspectionFruitPage:
    """A page of an inspection's fruits, worst first."""
    return _client().fruits(inspection_id, offset, limit)


def clear() -> None:
    """Clear what a photo, a correction or a new inspection may have changed."""
    find.clear()
    get.clear()
    photos.clear()
    fruits.clear()


def _client() -> InspectionClient:
    return InspectionClient(cached_api.api())
