"""Parts of the Dataset insights page: balance, light and size, copies. A chart and a story each."""

import components
import state
import streamlit as st
from charts.insights import class_balance, copy_bars, fresh_against_rotten
from charts.looks import Look, looks_by_class, size_bubbles
from resources.insights import Appearance, Copies, FreshAgainstRotten, Insights, Sizes
from words import class_words, counted, percent

_LOOKS: dict[Look, str] = {
    "brightness": "Brightness",
    "saturation": "Colourfulness",
    "hue": "Hue",
}
_ABOUT: dict[Look, str] = {
    "brightness": "0 % is black, 100 % white.",
    "saturation": "0 % is grey, 100 % the purest colour.",
    "hue": "0° is red, 60° yellow, 120° green.",
}


def balance(found: Insights) -> None:
    """How many examples each class has, and fresh against rotten."""
    st.header("How even are the classes?", anchor=False)
    if found.balance:
        st.write(found.balance.story)
    totals: dict[str, int] = {}
    for row in found.counts:
        totals[row.class_name] = totals.get(row.class_name, 0) + row.examples
    told = ", ".join(f"{class_words(name)} {number:,}" for name, number in totals.items())
    components.chart(class_balance(found.counts), "balance", f"Examples by class: {told}.")
    st.caption(
        "An example is a photograph, or one fruit in a photograph of several. Saved copies of a "
        "photograph count once."
    )
    if found.freshness:
        _freshness(found.freshness)


def light_and_size(appearance: Appearance, sizes: Sizes) -> None:
    """Brightness and colour by class, and how large the pictures are."""
    st.header("Light and colour", anchor=False)
    st.write(appearance.story)
    if appearance.by_class:
        look = st.segmented_control(
            "Show",
            list(_LOOKS),
            default="brightness",
            required=True,
            format_func=lambda name: _LOOKS[name],
            key=state.LOOK,
            persist_state="session",
            label_visibility="collapsed",
        )
        told = ", ".join(
            f"{class_words(row.class_name)} {getattr(row, look).p50:.2f}"
            for row in appearance.by_class
        )
        components.chart(
            looks_by_class(appearance.by_class, look),
            "looks",
            f"{_LOOKS[look]} by class; in the middle: {told}.",
        )
        st.caption(
            f"{_ABOUT[look]} A box holds the middle half of a class, its lines all but the lowest "
            "and the highest twentieth. The white of a studio does not count."
        )
    st.header("Picture sizes", anchor=False)
    st.write(sizes.story)
    if sizes.sizes:
        components.chart(
            size_bubbles(sizes.sizes, sizes.input_size),
            "sizes",
            f"Width against height of {counted(sizes.measured, 'picture')}; the network sees "
            f"{sizes.input_size} pixels either way.",
        )
        st.caption("Each dot is a size; a larger dot holds more pictures.")


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
        components.chart(copy_bars(found.histogram), "copies", f"{told}.")


def _freshness(found: FreshAgainstRotten) -> None:
    st.header("Fresh against rotten", anchor=False)
    st.write(found.story)
    told = "; ".join(
        f"{part.fruit} {part.fresh:,} fresh and {part.rotten:,} rotten" for part in found.by_fruit
    )
    components.chart(
        fresh_against_rotten(found.fresh, found.rotten, found.by_fruit),
        "freshness",
        f"In all {found.fresh:,} fresh and {found.rotten:,} rotten; {told}.",
    )
    if found.other:
        st.caption(
            f"{counted(found.other, 'example')} of classes that say nothing of freshness are left "
            "out."
        )
