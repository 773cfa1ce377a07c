"""The table of a graded batch, and the choice of what it shows."""

from typing import Any

import state
import streamlit as st
from answers import Prediction
from transfer.grading import Graded
from words import class_labels, counted, level_words

from components.predict.prediction import heading

# No class is called so.
_ALL, _UNKNOWN, _FAILED = "*all", "*unknown", "*failed"
_ROW_PIXELS = 56
_TABLE_PIXELS = 520


def choose_shown(rows: list[Graded], counts: dict[str | None, int]) -> str:
    """Ask which rows to show. `counts` says how many there are of each class."""
    labels = {_ALL: f"All {counted(len(rows), 'file')}"}
    for name, number in counts.items():
        labels[name or _UNKNOWN] = f"{grade_words(name)} ({number:,})"
    if failed := sum(row.error is not None for row in rows):
        labels[_FAILED] = f"Could not be graded ({failed:,})"
    return st.selectbox(
        "Show",
        list(labels),
        format_func=lambda name: labels.get(name, name),
        key=state.BATCH_SHOWN,
        persist_state="session",
    )


def is_shown(row: Graded, shown: str) -> bool:
    """Whether the row belongs to what was chosen."""
    if shown == _ALL:
        return True
    if row.prediction is None:
        return shown == _FAILED
    return shown == (row.prediction.predicted_class if row.prediction.recognised else _UNKNOWN)


def grade_words(name: str | None) -> str:
    """A class in words; None stands for what was not recognised."""
    return "Not known" if name is None else class_labels([name])[name]


def grades_table(rows: list[Graded]) -> None:
    """The rows with thumbnails; a click on a column's head sorts by it."""
    found = [row.prediction for row in rows]
    columns: dict[str, list[Any]] = {
        "Photo": [row.thumbnail for row in rows],
        # What matters most first: a phone shows about three columns.
        "Grade": [_grade(row) for row in rows],
        "Confidence": [100 * item.confidence if item else None for item in found],
        "Level": [_level(item) for item in found],
        "Freshness": [_score(item) for item in found],
        "File": [row.name for row in rows],
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
            "Grade": st.column_config.TextColumn(width=150),
            "Confidence": st.column_config.ProgressColumn(
                min_value=0, max_value=100, format="%.1f %%", width=130
            ),
            "Level": st.column_config.TextColumn(
                width=110, help="By the freshness score. The page Retrain says where the line is."
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
    return heading(row.prediction) if row.prediction.recognised else grade_words(None)


def _level(prediction: Prediction | None) -> str | None:
    if prediction is None or prediction.freshness_level is None or not prediction.recognised:
        return None
    return level_words(prediction.freshness_level)


def _score(prediction: Prediction | None) -> int | None:
    if prediction is None or prediction.freshness_score is None or not prediction.recognised:
        return None
    return round(100 * prediction.freshness_score)
