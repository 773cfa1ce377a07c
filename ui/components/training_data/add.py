"""Adding photos to the training data, and the outcome of each file."""

import cached_api
import state
import streamlit as st
import uploads
from formatting import class_labels, pluralize
from photos import READABLE
from plain_text import as_cell
from transfer import training_upload
from transfer.background_upload import BackgroundUpload
from transfer.training_upload import OUTCOMES, FileOutcome

from components.class_picker import ask_new_folders, choose_class, is_new_class
from components.messages import empty_state
from components.upload_progress import choose_files, progress, stopped_warning

PHOTOS, ZIPS = "training_photos", "training_zips"
_ONE, _FOLDERS = "Photos of one class", "A zip with a folder for each class"
_LABELS = {"added": "Added", "known": "Already known", "refused": "Rejected"}


def add_photos() -> None:
    """The uploader, the progress, or the results."""
    upload = state.training_upload()
    if upload is None:
        _choose()
    elif upload.finished:
        _results(upload)
    else:
        progress(upload, "Adding", cached_api.clear_training_data)


def _choose() -> None:
    kind = st.radio(
        "What do you have?",
        [_ONE, _FOLDERS],
        key=state.UPLOAD_KIND,
        horizontal=True,
        persist_state="session",
    )
    by_folder = kind == _FOLDERS
    chosen = None
    if by_folder:
        files = choose_files(
            ZIPS,
            "Zips with a folder for each class",
            ["zip"],
            "The name of a folder is the name of the class. New classes are welcome.",
        )
        ask_new_folders(state.FOLDERS)
    else:
        chosen = choose_class(
            "Class", cached_api.known_classes(), state.UPLOAD_CLASS, persistent=True
        )
        files = choose_files(
            PHOTOS,
            "Photos of this class, or zips of them",
            [*READABLE, "zip"],
            "Photos that are already known are not stored twice.",
        )
    if files:
        st.button(
            f"Add {pluralize(files, 'file')}",
            type="primary",
            icon=":material/add_photo_alternate:",
            disabled=not (chosen or by_folder),
            help=None if chosen or by_folder else "Choose the class first.",
            on_click=_start,
            args=(ZIPS if by_folder else PHOTOS, chosen),
        )
    else:
        empty_state(
            "add_photo_alternate",
            "Nothing chosen yet",
            "Choose zips whose folders have the names of their classes."
            if by_folder
            else "Choose the class that the photos show, or type a new one, and choose the photos.",
        )


def _start(uploader: str, class_name: str | None) -> None:
    new_class = is_new_class(state.FOLDERS if class_name is None else state.UPLOAD_CLASS)
    if files := uploads.take_files(uploader):
        api = cached_api.api()
        state.keep_training_upload(
            training_upload.start(api, files, class_name, new_class=new_class)
        )


def _results(upload: BackgroundUpload[FileOutcome]) -> None:
    rows = upload.rows
    counts = training_upload.by_outcome(rows)
    stopped_warning(upload)
    with st.container(horizontal=True, gap="medium"):
        for outcome in OUTCOMES:
            st.metric(_LABELS[outcome], f"{counts[outcome]:,}", width="content")
    if counts["added"]:
        st.success(
            f"{pluralize(counts['added'], 'photo')} added. Go to Retrain for a model that has "
            "learned from them.",
            icon=":material/check_circle:",
        )
    elif rows:
        st.info("Nothing was added; the table says why.", icon=":material/info:")
    else:
        st.info(
            "There was no photo in these files. Choose photos, or zips of photos.",
            icon=":material/info:",
        )
    if rows:
        _table(rows)
    st.button(
        "Add other photos",
        type="primary",
        icon=":material/add_photo_alternate:",
        on_click=state.keep_training_upload,
        args=(None,),
    )


def _table(rows: list[FileOutcome]) -> None:
    counts = training_upload.by_outcome(rows)
    shown = st.pills(
        "Show",
        [outcome for outcome in OUTCOMES if counts[outcome]],
        selection_mode="multi",
        format_func=lambda outcome: f"{_LABELS[outcome]} ({counts[outcome]:,})",
        key=state.UPLOAD_SHOWN,
        persist_state="session",
    )
    filtered = [row for row in rows if not shown or row.outcome in shown]
    labels = class_labels({row.class_name for row in filtered if row.class_name})
    st.dataframe(
        {
            "File": [as_cell(row.name) for row in filtered],
            "Outcome": [_LABELS[row.outcome] for row in filtered],
            "Class": [labels.get(row.class_name or "") for row in filtered],
            "Details": [as_cell(row.message) for row in filtered],
        },
        hide_index=True,
        key="upload_table",
        alt="Each file with its outcome. Click a column header to sort.",
        column_config={
            "File": st.column_config.TextColumn(width="medium"),
            "Details": st.column_config.TextColumn(width="large"),
        },
    )
