"""The table of a graded batch, and the filter of its rows."""

from typing import Any

import fruits
import state
import streamlit as st
from api_models import Prediction
from formatting import class_labels, level_label, pluralize
from plain_text import as_cell
from transfer.grading import Graded, class_of, grade_of, level_of

# No class has such a name.
_ALL, _UNKNOWN, _FAILED = "*all", "*unknown", "*failed"
_ROW_PIXELS = 56
_TABLE_PIXELS = 520


def choose_shown(rows: list[Graded], counts: dict[str | None, int]) -> str:
    """Ask which rows to show. `counts` are photos per class."""
    labels = {_ALL: f"All {pluralize(len(rows), 'file')}"}
    for name, number in counts.items():
        labels[name or _UNKNOWN] = f"{grade_label(name)} ({number:,})"
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
    """Whether the row passes the filter `shown`."""
    if shown == _ALL:
        return True
    if row.prediction is None:
        return shown == _FAILED
    return shown == (class_of(row.prediction) or _UNKNOWN)


def grade_label(name: str | None) -> str:
    """A class's label; None stands for photos that were not recognised."""
    return "Not known" if name is None else class_labels([name])[name]


def grades_table(rows: list[Graded]) -> None:
    """The rows with thumbnails, sortable by column."""
    predictions = [row.prediction for row in rows]
    # If there are several fruits, the grade of the whole photo does not describe any of them.
    single = [None if item is None or item.several else item for item in predictions]
    several = [item if item and item.several else None for item in predictions]
    columns: dict[str, list[Any]] = {
        "Photo": [row.thumbnail for row in rows],
        # The most important columns first, since a phone shows about three.
        "Grade": [_grade(row) for row in rows],
    }
    if any(several):
        columns["Worst"] = [_level(item) for item in several]
        columns["Fruits"] = [fruits.count_known(item) if item else None for item in several]
    columns |= {
        "Confidence": [
            100 * item.confidence if item and item.recognised else None for item in single
        ],
        "Level": [_level(item) for item in single],
        "Freshness": [_score(item) for item in single],
        "File": [as_cell(row.name) for row in rows],
    }
    if any(row.error for row in rows):
        columns["Error"] = [as_cell(row.error or "") or None for row in rows]
    st.dataframe(
        columns,
        height=min(_TABLE_PIXELS, _ROW_PIXELS * max(1, len(rows)) + 40),
        row_height=_ROW_PIXELS,
        hide_index=True,
        key="batch_table",
        placeholder="",
        alt="Each file with its grade. Click a column header to sort.",
        column_config={
            "Photo": st.column_config.ImageColumn(width=72),
            "File": st.column_config.TextColumn(width=210),
            "Grade": st.column_config.TextColumn(width=150),
            "Confidence": st.column_config.ProgressColumn(
                min_value=0, max_value=100, format="%.1f %%", width=130
            ),
            "Level": st.column_config.TextColumn(
                width=110, help="By the freshness score; its limits are on the Retrain page."
            ),
            "Freshness": st.column_config.NumberColumn(
                format="%d", width=90, help="100 is certainly fresh, 0 certainly rotten."
            ),
            "Fruits": st.column_config.NumberColumn(format="%d", width=80),
            "Worst": st.column_config.TextColumn(
                width=110, help="The level of the worst of several fruits."
            ),
            "Error": st.column_config.TextColumn(width=420),
        },
    )


def _grade(row: Graded) -> str:
    if row.prediction is None:
        return "Could not be graded"
    return as_cell(grade_of(row.prediction))


def _level(prediction: Prediction | None) -> str | None:
    level = level_of(prediction) if prediction else None
    return level_label(level) if level else None


def _score(prediction: Prediction | None) -> int | None:
    if prediction is None or prediction.freshness_score is None or not prediction.recognised:
        return None
    return round(100 * prediction.freshness_score)
