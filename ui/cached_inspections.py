"""The API's responses about inspections, cached for a few seconds."""

from datetime import datetime

import cached_api
import streamlit as st
from api_models import (
    Inspection,
    InspectionFruitPage,
    InspectionPage,
    InspectionPhotoPage,
    RemovedInspectionPage,
    RemovedInspectionPhotoPage,
)
from inspection_client import InspectionClient

MAX_LISTED = 200


def client() -> InspectionClient:
    return InspectionClient(cached_api.api())


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def find(
    search: str, since: datetime | None, until: datetime | None, offset: int, limit: int
) -> InspectionPage:
    """A page of the inspections, newest first."""
    return client().find(search, since, until, offset, limit)


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def get(inspection_id: str) -> Inspection:
    return client().get(inspection_id)


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def photos(inspection_id: str, offset: int, limit: int) -> InspectionPhotoPage:
    """A page of an inspection's photos, newest first."""
    return client().photos(inspection_id, offset, limit)


@st.cache_data(ttl=5, max_entries=32, show_spinner=False)
def fruits(inspection_id: str, offset: int, limit: int) -> InspectionFruitPage:
    """A page of an inspection's fruits, worst first."""
    return client().fruits(inspection_id, offset, limit)


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def removed() -> RemovedInspectionPage:
    """The most recently removed inspections, which can be restored."""
    return client().removed(MAX_LISTED)


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def removed_photos(inspection_id: str) -> RemovedInspectionPhotoPage:
    """The photos most recently removed from an inspection, which can be restored."""
    return client().removed_photos(inspection_id, MAX_LISTED)


def delete(inspection_id: str, *, for_good: bool = False) -> None:
    """Delete an inspection; unless it is for good, it can be restored for some days."""
    try:
        client().delete(inspection_id, for_good=for_good)
    finally:
        clear()


def restore(inspection_id: str) -> None:
    try:
        client().restore(inspection_id)
    finally:
        clear()


def remove_photo(inspection_id: str, photo_id: str, *, for_good: bool = False) -> None:
    """As `delete`."""
    try:
        client().remove_photo(inspection_id, photo_id, for_good=for_good)
    finally:
        clear()


def restore_photo(inspection_id: str, photo_id: str) -> None:
    try:
        client().restore_photo(inspection_id, photo_id)
    finally:
        clear()


def clear() -> None:
    """Clear what a photo, a correction or a new inspection may have changed."""
    find.clear()
    get.clear()
    photos.clear()
    fruits.clear()
    removed.clear()
    removed_photos.clear()
