"""Removed training photos, which can be restored for some days."""

from collections.abc import Sequence

import cached_api
import streamlit as st
from api_models import Removed, RemovedPage, RemovedPhoto, Restored
from boxed_client import BoxedPhotoClient

MAX_LISTED = 200


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def newest() -> RemovedPage:
    """The most recently removed photos."""
    return cached_api.api().call(
        RemovedPage, "GET", "/dataset/removed", params={"limit": MAX_LISTED}
    )


def remove_images(ids: Sequence[str], *, for_good: bool) -> Removed:
    """Remove up to 1000 images."""
    body = {"ids": list(ids), **({"for_good": True} if for_good else {})}
    try:
        return cached_api.api().call(Removed, "POST", "/dataset/images/remove", json=body)
    finally:
        clear()


def remove_boxed(photo_id: str) -> None:
    """Remove a photo with its boxes; it can be restored."""
    try:
        BoxedPhotoClient(cached_api.api()).remove(photo_id, for_good=False)
    finally:
        clear()


def restore(ids: Sequence[str]) -> Restored:
    """Restore up to 1000 photos, with or without boxes."""
    body = {"ids": list(ids)}
    try:
        return cached_api.api().call(Restored, "POST", "/dataset/removed/restore", json=body)
    finally:
        clear()


def delete(removed: Sequence[RemovedPhoto]) -> None:
    """Delete removed photos for good."""
    try:
        if images := [photo.id for photo in removed if photo.kind == "image"]:
            remove_images(images, for_good=True)
        for photo in removed:
            if photo.kind == "boxed":
                BoxedPhotoClient(cached_api.api()).remove(photo.id, for_good=True)
    finally:
        clear()


def clear() -> None:
    """Clear what a removal or its undoing may have changed."""
    newest.clear()
    cached_api.clear_training_data()
