"""Where a version was wrong and surest of it, and where it is good and where not."""

import streamlit as st
from charts.report import slice_intervals
from resources.report import Scores
from words import class_labels, percent

from components.model_report.measured import NOT_MEASURED, measured_on
from components.plots import chart


def mistakes(scores: Scores) -> None:
    """Where it was wrong and surest of it, and where it is good and where not."""
    st.subheader("Worst mistakes", anchor=False)
    if scores.worst_mistakes:
        names = {m.true for m in scores.worst_mistakes} | {
            m.predicted for m in scores.worst_mistakes
        }
        labels = class_labels(names)
        st.dataframe(
            {
                "Is": [labels[mistake.true] for mistake in scores.worst_mistakes],
                "Called": [labels[mistake.predicted] for mistake in scores.worst_mistakes],
                "Sure to": [percent(mistake.confidence) for mistake in scores.worst_mistakes],
                "Copies wrong": [mistake.copies_wrong for mistake in scores.worst_mistakes],
                "File": [mistake.file for mistake in scores.worst_mistakes],
            },
            hide_index=True,
            alt="The surest wrong answers, the worst first.",
        )
        st.caption(
            "The surest wrong answers, one file of each photograph. By name only: the photographs "
            "stay where the model was trained."
        )
    else:
        st.info(NOT_MEASURED, icon=":material/info:")
    if scores.slices:
        st.subheader("Where it is good, and where not", anchor=False)
        told = "; ".join(
            f"{part.by} {part.part} {percent(part.accuracy)}" for part in scores.slices
        )
        chart(slice_intervals(scores.slices), "slices", f"Right by part: {told}.")
        st.caption("Share right with its 95 % interval. Wide ones hold few photographs.")
        measured_on(scores)
