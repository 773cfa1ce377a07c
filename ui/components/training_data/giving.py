"""Adding photographs to the training data, and the report of what became of them."""

import loaders
import state
import streamlit as st
from photos import READABLE
from transfer import giving, uploads
from transfer.giving import OUTCOMES, Given
from transfer.sending import Sending
from words import class_labels, counted

from components.classes import choose_class
from components.files import choose_files, ending, progress
from components.messages import empty_state

UPLOADER = "given"
_ONE, _FOLDERS = "Photos of one class", "A zip with a folder for each class"
_WORDS = {"added": "Added", "known": "Known already", "refused": "Refused"}


def giving_section() -> None:
    """The upload in hand, in whichever state it is."""
    sending = state.giving()
    if sending is None:
        _choose()
    elif sending.finished:
        _report(sending)
    else:
        progress(sending, "Adding", loaders.forget_training_data)


def _choose() -> None:
    how = st.radio(
        "What do you have?",
        [_ONE, _FOLDERS],
        key=state.HOW_SORTED,
        horizontal=True,
        persist_state="session",
    )
    by_folder = how == _FOLDERS
    chosen = None
    if by_folder:
        files = choose_files(
            f"{UPLOADER}_zips",
            "Zips with a folder for each class",
            ["zip"],
            "The name of a folder is the name of the class. A new class is welcome.",
        )
    else:
        chosen = choose_class("Class", loaders.known_classes(), state.GIVEN_CLASS, persistent=True)
        files = choose_files(
            UPLOADER,
            "Photos of this class, or zips of them",
            [*READABLE, "zip"],
            "Photos that are known already are found, and not stored twice.",
        )
    if files:
        st.button(
            f"Add {counted(files, 'file')}",
            type="primary",
            icon=":material/add_photo_alternate:",
            disabled=not (chosen or by_folder),
            help=None if chosen or by_folder else "Choose the class first.",
            on_click=_start,
            args=(f"{UPLOADER}_zips" if by_folder else UPLOADER, chosen),
        )
    else:
        empty_state(
            "add_photo_alternate",
            "Nothing chosen yet",
            "Choose zips whose folders are named like their classes."
            if by_folder
            else "Say which class the photos show, or name a new one, and choose the photos.",
        )


def _start(uploader: str, class_name: str | None) -> None:
    state.keep_giving(giving.start(loaders.api(), uploads.take(uploader), class_name))


def _report(sending: Sending[Given]) -> None:
    rows = sending.rows
    counts = giving.by_outcome(rows)
    ending(sending)
    with st.container(horizontal=True, gap="medium"):
        for outcome in OUTCOMES:
            st.metric(_WORDS[outcome], f"{counts[outcome]:,}", width="content")
    if counts["added"]:
        st.success(
            f"{counted(counts['added'], 'photo')} added. Go to Retrain for a model that has "
            "learned from them.",
            icon=":material/check_circle:",
        )
    elif rows:
        st.info("Nothing was added; the table says why.", icon=":material/info:")
    else:
        st.info(
            "There was no photo in these files. Choose photos, or zips that hold some.",
            icon=":material/info:",
        )
    if rows:
        _table(rows)
    st.button(
        "Add other photos",
        type="primary",
        icon=":material/add_photo_alternate:",
        on_click=state.keep_giving,
        args=(None,),
    )


def _table(rows: list[Given]) -> None:
    counts = giving.by_outcome(rows)
    shown = st.pills(
        "Show",
        [outcome for outcome in OUTCOMES if counts[outcome]],
        selection_mode="multi",
        format_func=lambda outcome: f"{_WORDS[outcome]} ({counts[outcome]:,})",
        key=state.GIVEN_SHOWN,
        persist_state="session",
    )
    kept = [row for row in rows if not shown or row.outcome in shown]
    labels = class_labels({row.class_name for row in kept if row.class_name})
    st.dataframe(
        {
            "File": [row.name for row in kept],
            "Outcome": [_WORDS[row.outcome] for row in kept],
            "Class": [labels.get(row.class_name or "") for row in kept],
            "What became of it": [row.message for row in kept],
        },
        hide_index=True,
        key="given_table",
        alt="Each file with what became of it. Click a column's head to sort by it.",
        column_config={
            "File": st.column_config.TextColumn(width="medium"),
            "What became of it": st.column_config.TextColumn(width="large"),
        },
    )
