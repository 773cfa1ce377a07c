"""The figures that stand together: sources never met, this version, folds, the leaking split."""

import streamlit as st
from charts.report import figure_intervals
from resources.report import Figure, Report
from words import percent

from components.messages import empty_state
from components.plots import chart


def figures(found: Report) -> None:
    """All of them, always together, each with its interval, its split and its data."""
    st.header("How often is it right?", anchor=False)
    if not found.figures:
        empty_state(
            "fact_check",
            "Nothing was measured",
            "Train with `make train`, and measure the recipe with `make crossvalidate`.",
        )
        return
    st.write(found.story)
    told = "; ".join(f"{figure.title}: {_interval(figure)}" for figure in found.figures)
    chart(figure_intervals(found.figures), "figures", f"{told}.")
    # Of the tables, only this kind breaks its lines: split and data must not need scrolling.
    st.table(
        {
            "Figure, with its 95 % interval": [
                f"{figure.title}: **{_unbroken(_interval(figure))}**" for figure in found.figures
            ],
            "Measured on": [_measured_on(figure) for figure in found.figures],
        }
    )
    if any(figure.measures == "recipe" for figure in found.figures):
        st.caption(
            "Figures of the recipe are of graders that it made, each measured on photographs that "
            "it had not learned from. A source is a collection of one person or shop; left out, "
            "nothing of it was learned from."
            + (
                ""
                if found.same_data
                else " This version learned from other photographs than those, so they are not its "
                "own."
            )
        )


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({percent(figure.low)} to {percent(figure.high)})"


def _unbroken(figures: str) -> str:
    """No line ends between a number and its percent sign."""
    return figures.replace(" %", "\N{NO-BREAK SPACE}%")


def _measured_on(figure: Figure) -> str:
    who = "This version" if figure.measures == "version" else "The recipe"
    return f"{who}, on {figure.counts}: {figure.split}."
