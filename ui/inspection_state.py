"""The state of the Inspections page, kept in the browser session and in the URL."""

import streamlit as st
from transfer.background_upload import BackgroundUpload
from transfer.inspection_upload import AddedFile

# Keys of widgets.
INSPECTION_SEARCH = "inspection_search"
INSPECTION_DAYS = "inspection_days"
INSPECTION_SOURCE = "inspection_source"
_INSPECTION = "inspection"
_INSPECTION_UPLOAD = "inspection_upload"
_UPLOAD_SEEN = "inspection_upload_seen"
_OPENED_IN_LOT = "opened_in_lot"


def inspection_id() -> str | None:
    """The open inspection, from the URL so that it survives a reload, or the one that was open
    before a visit to another page."""
    opened: str | None = st.query_params.get(_INSPECTION) or st.session_state.get(_INSPECTION)
    if opened:
        st.session_state[_INSPECTION] = st.query_params[_INSPECTION] = opened
    return opened


def open_inspection(inspection_id: str | None = None) -> None:
    """Open an inspection; None goes back to the list."""
    st.session_state[_INSPECTION] = inspection_id
    keep_inspection_upload(None)
    open_in_lot(None)
    if inspection_id:
        st.query_params[_INSPECTION] = inspection_id
    else:
        st.query_params.pop(_INSPECTION, None)


def inspection_upload() -> BackgroundUpload[AddedFile] | None:
    """The current or last upload of photos to the open inspection."""
    upload: BackgroundUpload[AddedFile] | None = st.session_state.get(_INSPECTION_UPLOAD)
    return upload


def keep_inspection_upload(upload: BackgroundUpload[AddedFile] | None) -> None:
    """Keep the upload, also while the person visits other pages."""
    st.session_state[_INSPECTION_UPLOAD] = upload


def has_new_photos() -> bool:
    """Whether an upload to the inspection has ended since the last call."""
    upload = inspection_upload()
    is_new = upload is not None and upload.finished
    is_new = is_new and st.session_state.get(_UPLOAD_SEEN) is not upload
    if is_new:
        st.session_state[_UPLOAD_SEEN] = upload
    return is_new


def opened_in_lot() -> tuple[str, int] | None:
    """The id of the open photo and the number of the open fruit; 0 for the whole photo."""
    opened: tuple[str, int] | None = st.session_state.get(_OPENED_IN_LOT)
    return opened


def open_in_lot(photo_id: str | None = None, number: int = 0) -> None:
    """Open a fruit of a photo, or the whole photo; without a photo, close the dialog."""
    st.session_state[_OPENED_IN_LOT] = (photo_id, number) if photo_id else None
