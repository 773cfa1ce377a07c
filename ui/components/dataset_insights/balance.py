"""How even the classes are, and fresh against rotten."""

import streamlit as st
from charts.insights import class_balance, fresh_against_rotten
from resources.insights import FreshAgainstRotten, Insights
from words import class_words, counted

from components.plots import chart


def balance(found: Insights) -> None:
    """How many examples each class has, and fresh against rotten."""
    st.header("How even are the classes?", anchor=False)
    if found.balance:
        st.write(found.balance.story)
    totals: dict[str, int] = {}
    for row in found.counts:
        totals[row.class_name] = totals.get(row.class_name, 0) + row.examples
    told = ", ".join(f"{class_words(name)} {number:,}" for name, number in totals.items())
    chart(class_balance(found.counts), "balance", f"Examples by class: {told}.")
    st.caption(
        "An example is a photograph, or one fruit in a photograph of several. Saved copies of a "
        "photograph count once."
    )
    if found.freshness:
        _freshness(found.freshness)


def _freshness(found: FreshAgainstRotten) -> None:
    st.header("Fresh against rotten", anchor=False)
    st.write(found.story)
    told = "; ".join(
        f"{part.fruit} {part.fresh:,} fresh and {part.rotten:,} rotten" for part in found.by_fruit
    )
    chart(
        fresh_against_rotten(found.fresh, found.rotten, found.by_fruit),
        "freshness",
        f"In all {found.fresh:,} fresh and {found.rotten:,} rotten; {told}.",
    )
    if found.other:
        st.caption(
            f"{counted(found.other, 'example')} of classes that say nothing of freshness are left "
            "out."
        )
