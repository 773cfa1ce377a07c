"""Choosing many files, and the progress of their upload."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
import uploads
from formatting import pluralize, rough_duration
from transfer.background_upload import BackgroundUpload

from components.messages import show_fragment_error

# Nearly the API's limit for a zip, 512 MB, which Streamlit would show as "1GB".
MAX_MEGABYTES = 500


def choose_files(uploader: str, label: str, kinds: Sequence[str], help: str) -> int:
    """Show an uploader for many files, and return the number of files in it."""
    st.file_uploader(
        label,
        type=list(kinds),
        accept_multiple_files=True,
        key=uploads.uploader_key(uploader),
        max_upload_size=MAX_MEGABYTES,
        help=help,
    )
    return len(uploads.chosen_files(uploader))


@st.fragment(run_every="1s")
def progress(
    upload: BackgroundUpload[Any], doing: str, at_end: Callable[[], None] | None = None
) -> None:
    """Show the progress; at the end, call `at_end` and rerun the page."""
    if upload.finished:
        if at_end:
            at_end()
        st.rerun()
    text = f"{doing}: {upload.done:,} of {pluralize(upload.total, 'file')}"
    if (left := upload.seconds_left) is not None:
        text += f" · {rough_duration(left)} left"
    st.progress(upload.done / max(1, upload.total), text=text)
    if upload.error:
        show_fragment_error(upload.error, rejected="This cannot be sent")
    st.caption(
        "Stopping after the files that are being sent."
        if upload.stopping
        else "You can visit the other pages meanwhile."
    )
    st.button(
        "Stop",
        icon=":material/stop_circle:",
        on_click=upload.stop,
        disabled=upload.stopping,
    )


def stopped_warning(upload: BackgroundUpload[Any]) -> None:
    """Say how many files were not sent if the upload was stopped."""
    if upload.stopped:
        missing = pluralize(upload.total - upload.done, "file")
        st.warning(f"Stopped: {missing} not sent.", icon=":material/stop_circle:")
