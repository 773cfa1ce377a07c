"""Grading many photographs: choose, wait, read the table."""

import loaders
import state
import streamlit as st
from charts.batch import class_bars
from photos import READABLE
from transfer import grading, uploads
from transfer.grading import Graded
from transfer.sending import Sending
from words import counted, level_words

from components.files import choose_files, ending, progress
from components.messages import api_away, empty_state
from components.plots import chart
from components.predict.grades import choose_shown, grade_words, grades_table, is_shown

UPLOADER = "many"


def batch() -> None:
    """The batch in hand, in whichever state it is."""
    sending = state.batch()
    if sending is None:
        _choose()
    elif sending.finished:
        _results(sending)
    else:
        progress(sending, "Grading")


def _choose() -> None:
    files = choose_files(
        UPLOADER,
        "Photos, or zips of photos",
        [*READABLE, "zip"],
        "Each photo is graded by itself: the others are graded even if one cannot be read.",
    )
    if files:
        st.button(
            f"Grade {counted(files, 'file')}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
        )
    elif away := loaders.health_problem():
        api_away(away)
    else:
        empty_state(
            "photo_library",
            "No photos yet",
            "Choose many photos or a zip of them. Their grades appear here as a table.",
        )


def _start() -> None:
    state.keep_batch(grading.start(loaders.api(), uploads.take(UPLOADER)))


def _results(sending: Sending[Graded]) -> None:
    rows = sending.rows
    ending(sending)
    _figures(rows)
    counts = grading.by_class(rows)
    if counts:
        words = ", ".join(f"{grade_words(name)} {number}" for name, number in counts.items())
        chart(class_bars(counts), "classes", f"Bars of how many photos of each class: {words}.")
    if failed := sum(row.error is not None for row in rows):
        st.warning(
            f"{counted(failed, 'file')} could not be graded; the table says why.",
            icon=":material/warning:",
        )
    shown = choose_shown(rows, counts)
    grades_table([row for row in rows if is_shown(row, shown)])
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV",
            lambda: grading.as_csv(rows),
            "ripeline-grades.csv",
            "text/csv",
            on_click="ignore",
            type="primary",
            icon=":material/download:",
            disabled=not rows,
        )
        st.button(
            "Grade other photos",
            icon=":material/restart_alt:",
            on_click=state.keep_batch,
            args=(None,),
        )


def _figures(rows: list[Graded]) -> None:
    found = [row.prediction for row in rows if row.prediction]
    known = [prediction for prediction in found if prediction.recognised]
    figures = {
        "Graded": len(found),
        **{
            level_words(level): sum(prediction.freshness_level == level for prediction in known)
            for level in ("fresh", "past_best", "rotten")
        },
        "Not known": len(found) - len(known),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, number in figures.items():
            st.metric(name, f"{number:,}", width="content")
