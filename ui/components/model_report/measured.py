"""On what a version was measured, and that it was not."""

import streamlit as st
from resources.report import Scores
from words import counted

NOT_MEASURED = (
    "This version was not measured for it. A fast retraining measures less than a full one, which "
    "the page Retrain can start."
)


def measured_on(scores: Scores) -> None:
    """The split that the scores are of, where they say it."""
    if scores.split:
        parts = [
            counted(number, noun)
            for number, noun in ((scores.files, "file"), (scores.photographs, "photograph"))
            if number is not None
        ]
        st.caption(f"Measured on: {scores.split} ({' of '.join(parts)}).")
