"""Tries two versions on a person's own photos, before one of them is put in use."""

from typing import Any

import cached_api
import state
import streamlit as st
import uploads
from api_models import TrialGrade
from formatting import percent, pluralize, short_grade
from photos import READABLE
from plain_text import as_cell
from transfer import trial
from transfer.trial import MAX_KEPT, Tried, VersionTrial

from components.messages import run_action, show_action_error
from components.upload_progress import choose_files, progress, stopped_warning

UPLOADER = "trial"
_AREA = "trial_of_kept"
_ROW_PIXELS, _TABLE_PIXELS = 56, 520


def try_both(a: str, b: str) -> None:
    """The uploader, the progress, or the grades of versions `a` and `b` side by side."""
    st.subheader("Try both on your own photos", anchor=False)
    current = state.trial()
    if current is None or (current.a, current.b) != (a, b):
        _choose(a, b)
    elif current.upload and not current.upload.finished:
        progress(current.upload, "Grading by both")
    else:
        _results(current)


def _choose(a: str, b: str) -> None:
    st.caption(
        "Both versions grade the photos, and where they differ comes first. Nothing is kept, and "
        "the version in use stays in use."
    )
    files = choose_files(
        UPLOADER, "Photos, or zips of photos", [*READABLE, "zip"], "Up to a few hundred photos."
    )
    with st.container(horizontal=True):
        st.button(
            f"Grade {pluralize(files, 'file')} by both" if files else "Grade by both",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not files,
            on_click=_start,
            args=(a, b),
        )
        st.button(
            "Use photos of the last week",
            icon=":material/history:",
            help=f"The newest {MAX_KEPT} photos that were graded then and are still stored.",
            on_click=_start_kept,
            args=(a, b),
        )
    show_action_error(_AREA, "The kept photos were not graded")


def _start(a: str, b: str) -> None:
    if files := uploads.take_files(UPLOADER):
        state.keep_trial(trial.start(cached_api.api(), a, b, files))


def _start_kept(a: str, b: str) -> None:
    api, thumbnails = cached_api.api(), cached_api.thumbnails()
    run_action(_AREA, lambda: state.keep_trial(trial.on_kept(api, thumbnails, a, b)))


def _results(current: VersionTrial) -> None:
    rows = current.rows
    if current.upload:
        stopped_warning(current.upload)
    elif not rows:
        st.info("No photo of the last week is kept.", icon=":material/hide_image:")
    graded = [row for row in rows if row.grades]
    different = [row for row in graded if row.grades and not row.grades.same]
    totals = {
        "Graded by both": len(graded),
        "The same": len(graded) - len(different),
        "Different": len(different),
    }
    if failed := len(rows) - len(graded):
        totals["Could not be graded"] = failed
    with st.container(horizontal=True, gap="medium"):
        for name, number in totals.items():
            st.metric(name, f"{number:,}", width="content")
    only_different = st.toggle(
        "Only where they differ", key=state.ONLY_DIFFERENT, disabled=not different
    )
    # Differences first; both parts in the order of the files.
    shown = different if only_different and different else sorted(rows, key=_is_same)
    _table(current, shown)
    st.button(
        "Try other photos",
        icon=":material/restart_alt:",
        on_click=state.keep_trial,
        args=(None,),
    )


def _is_same(row: Tried) -> bool:
    return row.grades is None or row.grades.same


def _table(current: VersionTrial, rows: list[Tried]) -> None:
    columns: dict[str, list[Any]] = {
        "Photo": [row.thumbnail for row in rows],
        current.a: [_grade(row, row.grades.a if row.grades else None) for row in rows],
        current.b: [_grade(row, row.grades.b if row.grades else None) for row in rows],
        "": ["" if _is_same(row) else "Different" for row in rows],
        "File": [as_cell(row.name) for row in rows],
    }
    if any(row.error for row in rows):
        columns["Error"] = [as_cell(row.error or "") or None for row in rows]
    st.dataframe(
        columns,
        height=min(_TABLE_PIXELS, _ROW_PIXELS * max(1, len(rows)) + 40),
        row_height=_ROW_PIXELS,
        hide_index=True,
        key="trial_table",
        placeholder="",
        alt="Each file with its grade by both versions, those that differ first.",
        column_config={
            "Photo": st.column_config.ImageColumn(width=72),
            current.a: st.column_config.TextColumn(width=210),
            current.b: st.column_config.TextColumn(width=210),
            "File": st.column_config.TextColumn(width=210),
        },
    )


def _grade(row: Tried, grade: TrialGrade | None) -> str:
    if grade is None:
        return "Could not be graded" if row.error else ""
    words = short_grade(grade)
    return as_cell(f"{words}, {percent(grade.confidence)}" if grade.recognised else words)
