"""Grading many photographs: choose, wait, read the table."""

from typing import Any

import grading
import loaders
import state
import streamlit as st
import uploads
from answers import Prediction
from charts.batch import class_bars
from components import api_away, chart, empty_state
from components_prediction import heading
from components_sending import choose_files, ending, progress
from grading import Graded
from photos import READABLE
from sending import Sending
from words import class_labels, counted

UPLOADER = "many"
# No class is called so.
_ALL, _UNKNOWN, _FAILED = "*all", "*unknown", "*failed"
_ROW_PIXELS = 56
_TABLE_PIXELS = 520


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
        "Each photo is graded by itself: one that cannot be read spoils no other.",
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
        words = ", ".join(f"{_class_words(name)} {number}" for name, number in counts.items())
        chart(class_bars(counts), "classes", f"Bars of how many photos of each class: {words}.")
    if failed := sum(row.error is not None for row in rows):
        st.warning(
            f"{counted(failed, 'file')} could not be graded; the table says why.",
            icon=":material/warning:",
        )
    shown = _filter(rows, counts)
    _table([row for row in rows if _wanted(row, shown)])
    with st.container(horizontal=True):
        st.download_button(
            "Download as CSV",
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
        "Fresh": sum(prediction.freshness == "fresh" for prediction in known),
        "Rotten": sum(prediction.freshness == "rotten" for prediction in known),
        "Not known": len(found) - len(known),
    }
    with st.container(horizontal=True, gap="large"):
        for name, number in figures.items():
            st.metric(name, f"{number:,}", width="content")


def _filter(rows: list[Graded], counts: dict[str | None, int]) -> str:
    labels = {_ALL: f"All {counted(len(rows), 'file')}"}
    for name, number in counts.items():
        labels[name or _UNKNOWN] = f"{_class_words(name)} ({number:,})"
    if failed := sum(row.error is not None for row in rows):
        labels[_FAILED] = f"Could not be graded ({failed:,})"
    return st.selectbox(
        "Show",
        list(labels),
        format_func=lambda name: labels.get(name, name),
        key=state.BATCH_SHOWN,
        persist_state="session",
    )


def _wanted(row: Graded, shown: str) -> bool:
    if shown == _ALL:
        return True
    if row.prediction is None:
        return shown == _FAILED
    return shown == (row.prediction.predicted_class if row.prediction.recognised else _UNKNOWN)


def _class_words(name: str | None) -> str:
    return "Not known" if name is None else class_labels([name])[name]


def _table(rows: list[Graded]) -> None:
    found = [row.prediction for row in rows]
    columns: dict[str, list[Any]] = {
        "Photo": [row.thumbnail for row in rows],
        "File": [row.name for row in rows],
        "Grade": [_grade(row) for row in rows],
        "Confidence": [100 * item.confidence if item else None for item in found],
        "Freshness": [_score(item) for item in found],
    }
    if any(row.error for row in rows):
        columns["Problem"] = [row.error for row in rows]
    st.dataframe(
        columns,
        height=min(_TABLE_PIXELS, _ROW_PIXELS * max(1, len(rows)) + 40),
        row_height=_ROW_PIXELS,
        hide_index=True,
        key="batch_table",
        placeholder="",
        alt="Each file with its grade. Click a column's head to sort by it.",
        column_config={
            "Photo": st.column_config.ImageColumn(width=72),
            "File": st.column_config.TextColumn(width=210),
            "Grade": st.column_config.TextColumn(width=170),
            "Confidence": st.column_config.ProgressColumn(
                min_value=0, max_value=100, format="%.1f %%", width=150
            ),
            "Freshness": st.column_config.NumberColumn(
                format="%d", width=90, help="100 is surely fresh, 0 surely rotten."
            ),
            "Problem": st.column_config.TextColumn(width=420),
        },
    )


def _grade(row: Graded) -> str:
    if row.prediction is None:
        return "Could not be graded"
    return heading(row.prediction) if row.prediction.recognised else _class_words(None)


def _score(prediction: Prediction | None) -> int | None:
    if prediction is None or prediction.freshness_score is None or not prediction.recognised:
        return None
    return round(100 * prediction.freshness_score)
