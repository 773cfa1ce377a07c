"""Finding the fruits of a photo: what a run learned from boxes, compared with the current model."""

from collections.abc import Iterator

import streamlit as st
from formatting import capitalize
from plain_text import as_cell, as_markdown
from stored_models import DetectorComparison, DetectorOutcome, PairedCounts


def found_fruits(detector: DetectorOutcome, mode: str) -> None:
    """What a run of `mode` did to the detector; shows nothing if the detector is unchanged."""
    if not detector.message:
        return
    st.subheader("Finding the fruits of a photo", anchor=False)
    if detector.comparison:
        _in_short(detector, detector.comparison.overall, alone=mode == "detector")
    st.write(as_markdown(detector.message))
    if detector.comparison:
        _table(detector.comparison)


def _in_short(detector: DetectorOutcome, counts: PairedCounts, *, alone: bool) -> None:
    """The outcome in one line; `alone` if nothing else was learned."""
    if detector.objections:
        stays = "" if alone else " This version finds them as before."
        st.warning(
            f"**What it learned from the boxes is not good enough.**{stays}",
            icon=":material/block:",
        )
    elif counts.photographs:
        is_more = counts.candidate_right > counts.champion_right
        headline = "It finds more than before." if is_more else "It finds about as much as before."
        st.success(
            f"**{headline}** In {counts.candidate_right:,} of {counts.photographs:,} photos that "
            f"were set aside, all fruits are right; before, in {counts.champion_right:,}.",
            icon=":material/select_check_box:",
        )


def _table(comparison: DetectorComparison) -> None:
    rows = list(_rows(comparison))
    st.dataframe(
        {
            "Held-out photos": [as_cell(name) for name, _ in rows],
            "Photos": [counts.photographs for _, counts in rows],
            "Right now": [counts.champion_right for _, counts in rows],
            "Right with the new one": [counts.candidate_right for _, counts in rows],
        },
        hide_index=True,
        alt="Photos in which all fruits are found, with the current and the new model.",
    )
    st.caption(
        "A photo is right if each fruit is found and named, and nothing else where all have a "
        "box. Neither model has learned from these photos."
    )


def _rows(comparison: DetectorComparison) -> Iterator[tuple[str, PairedCounts]]:
    for name, counts in comparison.groups.items():
        yield capitalize(name.replace("from catalog", "of your training data")), counts
    for name, counts in comparison.fruits.items():
        yield f"Boxed photos with {name}: all of that kind found", counts
