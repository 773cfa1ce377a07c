"""The name and the note that a person gives a version."""

import cached_api
import streamlit as st
from api_models import VersionDetails
from plain_text import as_markdown

from components.messages import run_action, show_action_error

AREA = "name_and_note"
# As in the API.
_MAX_NAME, _MAX_NOTE = 60, 2000


def name_and_note(details: VersionDetails) -> None:
    """A version's name and note, and a form to change them."""
    for line in details.note.splitlines():
        st.markdown(as_markdown(line))
    show_action_error(AREA, "The name and the note were not saved")
    with (
        st.expander("Name and note", icon=":material/edit_note:"),
        st.form(f"{AREA}-{details.version}", border=False),
    ):
        name_key, note_key = (f"{AREA}-{part}-{details.version}" for part in ("name", "note"))
        st.text_input(
            "Name",
            details.name,
            key=name_key,
            max_chars=_MAX_NAME,
            placeholder="For example: with photos from our new camera",
        )
        st.text_area(
            "Note",
            details.note,
            key=note_key,
            max_chars=_MAX_NOTE,
            placeholder="What you tried, and what to look at before it is used",
        )
        st.form_submit_button(
            "Save",
            icon=":material/save:",
            on_click=_save,
            args=(details.version, name_key, note_key),
        )


def _save(version: str, name_key: str, note_key: str) -> None:
    name, note = st.session_state[name_key], st.session_state[note_key]
    run_action(AREA, lambda: cached_api.models().describe_version(version, name, note))
    cached_api.version_details.clear()
