"""Files in an uploader that can be emptied.

Streamlit keeps every uploaded file until the browser disconnects; here each is freed as soon as it
has been taken.
"""

import streamlit as st
from photos import Photo
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def uploader_key(uploader: str) -> str:
    """The uploader's widget key. It changes when the uploader is emptied."""
    return f"{uploader}_{st.session_state.get(f'{uploader}_emptied', 0)}"


def chosen_files(uploader: str) -> list[UploadedFile]:
    files: list[UploadedFile] = st.session_state.get(uploader_key(uploader)) or []
    return files


def take_files(uploader: str) -> list[Photo]:
    """Take all files from the uploader, and empty it. None the second time: a double click on a
    button calls its callback twice."""
    files = chosen_files(uploader)
    photos = [Photo(file.name, file.getvalue()) for file in files]
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    # Only a new key makes Streamlit forget an uploader's files.
    emptied = f"{uploader}_emptied"
    st.session_state[emptied] = st.session_state.get(emptied, 0) + 1
    return photos
