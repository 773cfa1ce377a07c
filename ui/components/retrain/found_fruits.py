"""Finding the fruits of a photo: what a run learned from boxes, against the current model."""

from collections.abc import Iterator

import streamlit as st
from formatting import capitalize
from plain_text import as_cell, as_markdown
from stored_models import DetectorComparison, DetectorOutcome, PairedCounts


def found_fruits(detector: DetectorOutcome) -> None:
    """Nothing for a run that left it as it was."""
    if not detector.message:
        return
    st.subheader("Finding the fruits of a photo", anchor=False)
    st.write(as_markdown(detector.message))
    if detector.comparison:
        _table(detector.comparison)


def _table(comparison: DetectorComparison) -> None:
    rows = list(_rows(comparison))
    st.dataframe(
        {
            "Held-out pictures": [as_cell(name) for name, _ in rows],
            "Pictures": [counts.photographs for _, counts in rows],
            "Right now": [counts.champion_right for _, counts in rows],
            "Right with the new one": [counts.candidate_right for _, counts in rows],
        },
        hide_index=True,
        alt="Pictures in which all fruits are found, with the current and the new model.",
    )
    st.caption(
        "A picture is right if each fruit is found and named, and nothing else where all have a "
        "box. Neither model has learned from these pictures."
    )


def _rows(comparison: DetectorComparison) -> Iterator[tuple[str, PairedCounts]]:
    for name, counts in comparison.groups.items():
        yield capitalize(name.replace("from catalog", "of your training data")), counts
    for name, counts in comparison.fruits.items():
        yield f"Boxed photos with {name}: all of that kind found", counts
