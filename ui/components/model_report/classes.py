"""Precision, recall and F1 of each class, and what was taken for what."""

import streamlit as st
from charts.report import confusion
from resources.report import Manifest, Scores
from words import class_labels, percent

from components.model_report.measured import NOT_MEASURED, measured_on
from components.plots import chart


def classes(manifest: Manifest) -> None:
    """Precision, recall and F1 of each class, and what was taken for what."""
    scores = manifest.scores
    if not scores.per_class:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    labels = class_labels(scores.per_class)
    st.dataframe(
        {
            "Class": [labels[name] for name in scores.per_class],
            "Precision": [_share(row.precision) for row in scores.per_class.values()],
            "Recall": [_share(row.recall) for row in scores.per_class.values()],
            "F1": [_share(row.f1) for row in scores.per_class.values()],
            "Files": [row.files for row in scores.per_class.values()],
        },
        hide_index=True,
        alt="Precision, recall and F1 of each class.",
        column_config={
            "Precision": st.column_config.TextColumn(help="Of those called so, how many are."),
            "Recall": st.column_config.TextColumn(help="Of those that are, how many are found."),
            "F1": st.column_config.TextColumn(help="The harmonic mean of both."),
        },
    )
    if scores.confusion_matrix:
        st.subheader("What was taken for what", anchor=False)
        chart(
            confusion(scores.confusion_matrix, manifest.classes),
            "confusion",
            f"Confusion matrix: {_confused(scores, manifest.classes)}.",
        )
        st.caption("A row is what a photograph shows, a column what it was called; files.")
    measured_on(scores)


def _confused(scores: Scores, names: list[str]) -> str:
    labels = class_labels(names)
    found = [
        f"{count} {labels[names[row]]} called {labels[names[column]]}"
        for row, counts in enumerate(scores.confusion_matrix)
        for column, count in enumerate(counts)
        if count and row != column and max(row, column) < len(names)
    ]
    return ", ".join(found) or "nothing was mistaken"


def _share(value: float | None) -> str:
    return "—" if value is None else percent(value)
