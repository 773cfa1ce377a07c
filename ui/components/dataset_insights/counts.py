"""Photos per class, fresh against rotten, and saved copies."""

import streamlit as st
from api_models import Copies, DatasetInsights, Freshness
from charts.insights import class_balance, copy_bars, fresh_against_rotten
from formatting import class_label, percent, pluralize
from plain_text import as_markdown

from components.display import chart


def balance(insights: DatasetInsights) -> None:
    """Photos per class, and fresh against rotten."""
    st.header("How even are the classes?", anchor=False)
    if insights.balance:
        st.write(as_markdown(insights.balance.story))
    totals: dict[str, int] = {}
    for row in insights.counts:
        totals[row.class_name] = totals.get(row.class_name, 0) + row.examples
    listed = ", ".join(f"{class_label(name)} {number:,}" for name, number in totals.items())
    chart(class_balance(insights.counts), "balance", f"Photos by class: {listed}.")
    st.caption(
        "Each fruit in a photo of several counts by itself. Saved copies of a photo count once."
    )
    if insights.freshness:
        _freshness(insights.freshness)


def copies(copies: Copies) -> None:
    """How many copies photos have, and what a split by file would leak."""
    st.header("Copies, and what they would give away", anchor=False)
    st.write(as_markdown(copies.story))
    first, second, third = st.columns(3)
    first.metric(
        "Photos of one fruit",
        f"{copies.photographs:,}",
        help="Each once. Photos with boxes around their fruits have no copies and are not counted.",
    )
    second.metric("Files", f"{copies.files:,}", help="With all saved copies.")
    third.metric(
        "On both sides",
        f"{copies.in_two_splits:,}",
        help="Photos with one file to learn from and another to be measured on; it should be 0.",
    )
    if copies.leak:
        st.subheader("Test photos with a copy in the training photos", anchor=False)
        by_file, by_photo = st.columns(2)
        by_file.metric("If files were split", percent(copies.leak.share))
        by_photo.metric(
            "As photos are split here",
            percent(copies.in_two_splits / max(copies.photographs, 1)),
        )
        st.caption("The first is what a random split of files gives on average.")
    if copies.histogram:
        listed = ", ".join(
            f"{pluralize(row.photographs, 'photo')} in {pluralize(row.copies, 'file')}"
            for row in copies.histogram
        )
        st.subheader("Files of one photo", anchor=False)
        chart(copy_bars(copies.histogram), "copies", f"{listed}.")


def _freshness(freshness: Freshness) -> None:
    st.header("Fresh against rotten", anchor=False)
    st.write(as_markdown(freshness.story))
    listed = "; ".join(
        f"{part.fruit} {part.fresh:,} fresh and {part.rotten:,} rotten"
        for part in freshness.by_fruit
    )
    chart(
        fresh_against_rotten(freshness.fresh, freshness.rotten, freshness.by_fruit),
        "freshness",
        f"In all {freshness.fresh:,} fresh and {freshness.rotten:,} rotten; {listed}.",
    )
    if freshness.other:
        st.caption(
            f"Without {pluralize(freshness.other, 'photo')} of classes that are not about "
            "freshness."
        )
