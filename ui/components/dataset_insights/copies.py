"""How often photographs were saved, and what dealing files would leak."""

import streamlit as st
from charts.insights import copy_bars
from resources.insights import Copies
from words import counted, percent

from components.plots import chart


def copies(found: Copies) -> None:
    """How often photographs were saved, and what dealing files would leak."""
    st.header("Copies, and what they would give away", anchor=False)
    st.write(found.story)
    first, second, third = st.columns(3)
    first.metric("Photographs", f"{found.photographs:,}", help="Each once, without boxed fruits.")
    second.metric("Files", f"{found.files:,}", help="With all saved copies.")
    third.metric(
        "On both sides",
        f"{found.in_two_splits:,}",
        help="Photographs with a file to learn from and one to be measured on; 0 is as it should "
        "be.",
    )
    if found.leak:
        st.subheader("Test photographs with a copy among those learned from", anchor=False)
        by_file, by_photograph = st.columns(2)
        by_file.metric("Had files been dealt", percent(found.leak.share))
        by_photograph.metric(
            "As photographs are dealt here",
            percent(found.in_two_splits / max(found.photographs, 1)),
        )
        st.caption("The first is what dealing files at random gives on average.")
    if found.histogram:
        told = ", ".join(
            f"{counted(row.photographs, 'photograph')} in {counted(row.copies, 'file')}"
            for row in found.histogram
        )
        st.subheader("Files of one photograph", anchor=False)
        chart(copy_bars(found.histogram), "copies", f"{told}.")
