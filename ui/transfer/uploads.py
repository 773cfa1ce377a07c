"""What came through a file uploader, taken over so that Streamlit need not keep it too.

Streamlit holds every uploaded file until the browser leaves; here each is let go as soon as it has
been sent.
"""

import state
import streamlit as st
from photos import Photo
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def chosen(uploader: str) -> list[UploadedFile]:
    """What lies in the uploader of this name."""
    found: list[UploadedFile] = st.session_state.get(state.uploader_key(uploader)) or []
    return found


def take(uploader: str) -> list[Photo]:
    """Take all that lies in the uploader, which is empty then."""
    files = chosen(uploader)
    photos = [Photo(file.name, file.getvalue()) for file in files]
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    state.empty_uploader(uploader)
    return photos
