"""Adding photos to the open inspection: files, or the camera."""

from functools import partial

import cached_api
import cached_inspections
import inspection_state
import lots
import streamlit as st
import uploads
from formatting import pluralize
from photos import READABLE, Photo
from plain_text import as_markdown
from transfer import inspection_upload
from transfer.background_upload import BackgroundUpload
from transfer.inspection_upload import AddedFile

from components.live.camera import live_camera
from components.upload_progress import choose_files, progress, stopped_warning

UPLOADER = "inspection_photos"
CAMERA = "inspection_camera"
_FILES, _CAMERA, _LIVE = "Choose photos", "Camera", "Live camera"
_MAX_LISTED = 5


def add_photos(inspection_id: str) -> None:
    """The uploader or the camera, the progress, and the outcome of the last files."""
    upload = inspection_state.inspection_upload()
    if upload and not upload.finished:
        progress(upload, "Grading each fruit")
        return
    if upload:
        _result(upload)
    if not cached_api.finds_fruits():
        st.warning(
            "The model in use cannot find the fruits of a photo, so it cannot inspect a lot. "
            "Put a version in use that can: the Retrain page lists them.",
            icon=":material/image_search:",
        )
        return
    source = st.segmented_control(
        "Where the photos come from",
        [_FILES, _CAMERA, _LIVE],
        default=_FILES,
        required=True,
        key=inspection_state.INSPECTION_SOURCE,
        label_visibility="collapsed",
        persist_state="session",
    )
    if source == _CAMERA:
        _camera(inspection_id)
    elif source == _LIVE:
        st.caption(
            "Move along the lot: each fruit is graded as you go. Only the photos that you keep "
            "count, and only they are stored."
        )
        live_camera(partial(_keep, inspection_id))
    else:
        _files(inspection_id)


def _files(inspection_id: str) -> None:
    chosen = choose_files(
        UPLOADER,
        "Photos of the lot, with several fruits each",
        [*READABLE, "zip"],
        "Photograph fruits from all parts of the lot, each fruit once. A phone offers its camera "
        "here, too.",
    )
    if chosen:
        st.button(
            f"Add {pluralize(chosen, 'file')}",
            type="primary",
            icon=":material/add_photo_alternate:",
            on_click=_start,
            args=(inspection_id, UPLOADER),
        )


def _camera(inspection_id: str) -> None:
    """Each picture is added as soon as it is taken; then the next can be."""
    st.camera_input(
        "Photograph some fruits of the lot. Each photo is added at once.",
        # A new key after each photo makes the camera ready for the next.
        key=uploads.uploader_key(CAMERA),
        on_change=_start,
        args=(inspection_id, CAMERA),
    )


def _keep(inspection_id: str, photo: Photo) -> str:
    """Add a photo from the live camera at once, and say what became of it. Raises ApiError."""
    try:
        answer = cached_inspections.client().add(inspection_id, [photo])
    finally:
        cached_inspections.clear()
    if answer.added:
        added = answer.added[0]
        return f"{lots.photo_title(added)} added: {lots.describe(added.fruits)}."
    if answer.known:
        return f"This is {lots.photo_title(answer.known[0]).lower()} again, and counts once."
    return f"Not added. {answer.errors[0].error.detail}"


def _start(inspection_id: str, uploader: str) -> None:
    if files := uploads.take_files(uploader):
        upload = inspection_upload.start(cached_api.api(), inspection_id, files)
        inspection_state.keep_inspection_upload(upload)


def _result(upload: BackgroundUpload[AddedFile]) -> None:
    stopped_warning(upload)
    refused = [row for row in upload.rows if row.outcome == "refused"]
    if len(refused) < len(upload.rows):
        st.caption(f":material/check: {inspection_upload.describe(upload.rows)}.")
    if refused:
        listed = "".join(
            f"\n- {as_markdown(row.name)}: {as_markdown(row.message)}"
            for row in refused[:_MAX_LISTED]
        )
        more = len(refused) - _MAX_LISTED
        st.warning(
            f"{pluralize(len(refused), 'file')} could not be added:{listed}"
            + (f"\n- and {more} more" if more > 0 else ""),
            icon=":material/warning:",
        )
