"""Choosing many files, and watching them on their way."""

from collections.abc import Callable, Sequence
from typing import Any

import state
import streamlit as st
from transfer import uploads
from transfer.sending import Sending
from words import about, counted

from components.messages import trouble

# Nearly what the API takes at once, which counts for zips: Streamlit would call 512 "1GB".
MOST_MEGABYTES = 500


def choose_files(uploader: str, label: str, kinds: Sequence[str], help: str) -> int:
    """Offer an uploader for many files; how many lie in it."""
    st.file_uploader(
        label,
        type=list(kinds),
        accept_multiple_files=True,
        key=state.uploader_key(uploader),
        max_upload_size=MOST_MEGABYTES,
        help=help,
    )
    return len(uploads.chosen(uploader))


@st.fragment(run_every="1s")
def progress(sending: Sending[Any], doing: str, at_end: Callable[[], None] | None = None) -> None:
    """How far it is, and what is going on; at the end, `at_end` and the page again."""
    if sending.finished:
        if at_end:
            at_end()
        st.rerun()
    left = sending.seconds_left
    words = f"{doing}: {sending.done:,} of {counted(sending.total, 'file')}"
    if left is not None:
        words += f" · {about(left)} left"
    st.progress(sending.done / max(1, sending.total), text=words)
    if sending.problem:
        trouble(sending.problem, refused="This cannot be sent")
    st.caption(
        "Stopping as soon as the files on their way are done."
        if sending.stopping
        else "You can visit the other pages meanwhile."
    )
    st.button(
        "Stop",
        icon=":material/stop_circle:",
        on_click=sending.stop,
        disabled=sending.stopping,
    )


def ending(sending: Sending[Any]) -> None:
    """Say so where it was stopped before the end."""
    if sending.stopped:
        missing = counted(sending.total - sending.done, "file")
        st.warning(f"Stopped: {missing} not sent.", icon=":material/stop_circle:")
