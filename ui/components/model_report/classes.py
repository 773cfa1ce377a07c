"""Precision, recall and F1 by class, the confusion matrix, the worst mistakes."""

import streamlit as st
from api_models import Manifest
from charts.report import confusion, slice_intervals
from formatting import class_labels, percent, pluralize
from plain_text import as_cell, as_markdown
from stored_models import HeldOutMetrics

from components.display import chart

NOT_MEASURED = (
    "This was not measured for this version. A thorough retraining, on the Retrain page, measures "
    "more than a quick one."
)


def classes(manifest: Manifest) -> None:
    """Precision, recall and F1 by class, and the confusion matrix."""
    metrics = manifest.metrics.test
    if not metrics.per_class:
        st.info(NOT_MEASURED, icon=":material/info:")
        return
    labels = class_labels(metrics.per_class)
    st.dataframe(
        {
            "Class": [labels[name] for name in metrics.per_class],
            "Precision": [_share(row.precision) for row in metrics.per_class.values()],
            "Recall": [_share(row.recall) for row in metrics.per_class.values()],
            "F1": [_share(row.f1) for row in metrics.per_class.values()],
            "Files": [row.files for row in metrics.per_class.values()],
        },
        hide_index=True,
        alt="Precision, recall and F1 of each class.",
        column_config={
            "Precision": st.column_config.TextColumn(
                help="Of the photos graded as this class, the share that shows it."
            ),
            "Recall": st.column_config.TextColumn(
                help="Of the photos that show this class, the share graded as it."
            ),
            "F1": st.column_config.TextColumn(help="The harmonic mean of both."),
        },
    )
    if metrics.confusion_matrix:
        st.subheader("Confusion matrix", anchor=False)
        chart(
            confusion(metrics.confusion_matrix, manifest.classes),
            "confusion",
            f"Confusion matrix: {_confused(metrics, manifest.classes)}.",
        )
        st.caption("Rows: what a photo shows. Columns: what it was graded as. In files.")
    _measured_on(metrics)


def mistakes(metrics: HeldOutMetrics) -> None:
    """The worst mistakes, and the accuracy on each slice of the test photos."""
    st.subheader("Worst mistakes", anchor=False)
    if metrics.worst_mistakes:
        names = {m.true for m in metrics.worst_mistakes} | {
            m.predicted for m in metrics.worst_mistakes
        }
        labels = class_labels(names)
        st.dataframe(
            {
                "Actual": [labels[mistake.true] for mistake in metrics.worst_mistakes],
                "Graded as": [labels[mistake.predicted] for mistake in metrics.worst_mistakes],
                "Confidence": [percent(mistake.confidence) for mistake in metrics.worst_mistakes],
                "Copies wrong": [mistake.copies_wrong for mistake in metrics.worst_mistakes],
                "File": [as_cell(mistake.file) for mistake in metrics.worst_mistakes],
            },
            hide_index=True,
            alt="The most confident wrong grades, the worst first.",
        )
        st.caption(
            "The most confident wrong grades when the model was trained, one file of each photo."
        )
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    if metrics.slices:
        st.subheader("Strong and weak points", anchor=False)
        listed = "; ".join(
            f"{part.by} {part.part} {percent(part.accuracy)}" for part in metrics.slices
        )
        chart(slice_intervals(metrics.slices), "slices", f"Right by part: {listed}.")
        st.caption("Share right with its 95 % interval. Wide intervals come from few photos.")
        _measured_on(metrics)


def _measured_on(metrics: HeldOutMetrics) -> None:
    """What the metrics were measured on, if known."""
    if metrics.split:
        parts = [
            pluralize(number, noun)
            for number, noun in ((metrics.files, "file"), (metrics.photographs, "photo"))
            if number is not None
        ]
        st.caption(f"Measured on: {as_markdown(metrics.split)} ({' of '.join(parts)}).")


def _confused(metrics: HeldOutMetrics, names: list[str]) -> str:
    labels = class_labels(names)
    confused = [
        f"{count} {labels[names[row]]} graded as {labels[names[column]]}"
        for row, counts in enumerate(metrics.confusion_matrix)
        for column, count in enumerate(counts)
        if count and row != column and max(row, column) < len(names)
    ]
    return ", ".join(confused) or "no mistakes"


def _share(value: float | None) -> str:
    return "—" if value is None else percent(value)
