"""Grading many photos: choose them, wait, read the table."""

from functools import partial
from uuid import uuid4

import cached_api
import cached_history
import history_state
import state
import streamlit as st
import uploads
from charts.bars import class_bars
from errors import ApiError
from formatting import SEVERAL, level_label, pluralize
from history import Search
from photos import READABLE
from transfer import grading
from transfer.grading import Graded

from components.display import chart, excel_button
from components.messages import api_unavailable, empty_state, show_error
from components.predict.grades import choose_shown, grade_label, grades_table, is_shown
from components.upload_progress import choose_files, progress, stopped_warning

UPLOADER = "many"


def batch() -> None:
    """The uploader, the progress, or the results."""
    upload, batch_id = state.batch(), state.batch_id()
    if upload is None and batch_id:
        _restored(batch_id)
    elif upload is None:
        _choose()
    elif upload.finished:
        stopped_warning(upload)
        _results(upload.rows)
    else:
        progress(upload, "Grading")


def _choose() -> None:
    files = choose_files(
        UPLOADER,
        "Photos, or zips of photos",
        [*READABLE, "zip"],
        "Each photo is graded by itself: the others are graded even if one cannot be read.",
    )
    if files:
        st.button(
            f"Grade {pluralize(files, 'file')}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
        )
    elif error := cached_api.health_error():
        api_unavailable(error)
    else:
        empty_state(
            "photo_library",
            "No photos yet",
            "Choose many photos or a zip of them. Their grades appear here as a table.",
        )


def _start() -> None:
    if files := uploads.take_files(UPLOADER):
        batch_id = uuid4().hex
        state.keep_batch(grading.start(cached_api.api(), files, batch_id), batch_id)


def _restored(batch_id: str) -> None:
    """The table of an earlier batch, after a reload or in a second browser."""
    try:
        rows = cached_history.batch(batch_id)
    except ApiError as error:
        show_error(error, rejected="This batch cannot be shown")
        return
    if rows:
        st.caption("From the history, which does not list files that could not be graded.")
    else:
        st.info("There is nothing of this batch in the history yet.", icon=":material/history:")
    _results(rows)


def _results(rows: list[Graded]) -> None:
    _totals(rows)
    counts = grading.by_class(rows)
    if counts:
        listed = ", ".join(f"{grade_label(name)} {number}" for name, number in counts.items())
        chart(class_bars(counts), "classes", f"Photos per class: {listed}.")
    if failed := sum(row.error is not None for row in rows):
        st.warning(
            f"{pluralize(failed, 'file')} could not be graded; the table says why.",
            icon=":material/warning:",
        )
    shown = choose_shown(rows, counts)
    grades_table([row for row in rows if is_shown(row, shown)])
    # Read here because the download runs outside the page's script.
    decimal_comma = grading.has_decimal_comma(st.context.locale or "")
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV",
            lambda: grading.as_csv(rows, decimal_comma=decimal_comma),
            "ripeline-grades.csv",
            "text/csv",
            on_click="ignore",
            type="primary",
            icon=":material/download:",
            disabled=not rows,
        )
        if batch_id := state.batch_id():
            search = Search(batch_id=batch_id, order="oldest")
            excel_button(
                partial(cached_history.client().workbook, search),
                "ripeline-grades",
                "batch_xlsx",
                disabled=not any(row.prediction for row in rows),
                help="The photos that could be graded, and each fruit in them.",
            )
        st.button(
            "Grade other photos",
            icon=":material/restart_alt:",
            on_click=state.keep_batch,
            args=(None,),
        )
    if batch_id:
        st.page_link(
            "app_pages/history.py",
            label="Open them one by one in the history",
            icon=":material/history:",
            query_params={history_state.BATCH: batch_id},
        )


def _totals(rows: list[Graded]) -> None:
    predictions = [row.prediction for row in rows if row.prediction]
    levels = [grading.level_of(prediction) for prediction in predictions]
    classes = [grading.class_of(prediction) for prediction in predictions]
    known = sum(grading.has_known_fruit(prediction) for prediction in predictions)
    totals = {
        "Graded": len(predictions),
        **{level_label(level): levels.count(level) for level in ("fresh", "past_best", "rotten")},
    }
    # Fruits whose class does not say how fresh they are, such as kiwi.
    if other := known - sum(level is not None for level in levels):
        totals["Freshness not graded"] = other
    totals["Not known"] = len(predictions) - known
    with st.container(horizontal=True, gap="medium"):
        for name, number in totals.items():
            st.metric(name, f"{number:,}", width="content")
    if SEVERAL in classes:
        st.caption("A photo of several fruits counts by the worst of them.")
