"""The headline metrics: left-out sources, this version, cross-validation, the leaking split."""

import streamlit as st
from api_models import Figure, Report
from charts.report import metric_intervals
from formatting import format_time, percent
from plain_text import as_markdown

from components.display import chart
from components.messages import empty_state


def accuracy(report: Report) -> None:
    """All headline metrics, each with its interval, split and data."""
    st.header("How often is it right?", anchor=False)
    if not report.figures:
        empty_state(
            "fact_check",
            "Nothing was measured",
            "Train with `make train`, and measure the recipe with `make crossvalidate`.",
        )
        return
    st.write(as_markdown(report.story))
    listed = "; ".join(f"{figure.title}: {_interval(figure)}" for figure in report.figures)
    chart(metric_intervals(report.figures), "figures", f"{listed}.")
    # Unlike st.dataframe, it wraps lines: split and data must be visible without scrolling.
    st.table(
        {
            "Metric, with its 95 % interval": [
                f"{as_markdown(figure.title)}: **{_unbroken(_interval(figure))}**"
                for figure in report.figures
            ],
            "Measured on": [_measured_on(figure) for figure in report.figures],
        }
    )
    if any(figure.measures == "recipe" for figure in report.figures):
        st.caption(
            "Metrics of the recipe come from models that it made, each measured on photos that it "
            "had not learned from. A source is a collection of one person or shop; left out, "
            "nothing of it was learned from."
            + (
                ""
                if report.same_data
                else " This version learned from other photos, so they are not its own metrics."
            )
        )


def waiting(report: Report) -> None:
    """How many of the newest held-out photos older versions get right."""
    if len(report.kept_versions) < 2:
        return
    st.subheader("What waiting costs", anchor=False)
    st.table(
        {
            "Version": [f"`{one.version}`" for one in report.kept_versions],
            "Made": [format_time(one.created_at) for one in report.kept_versions],
            "Right": [percent(one.accuracy) for one in report.kept_versions],
            "This version": [
                "—" if one.accuracy_of_newest is None else percent(one.accuracy_of_newest)
                for one in report.kept_versions
            ],
            "Photos": [f"{one.photographs:,}" for one in report.kept_versions],
        }
    )
    st.caption(
        "Each version graded photos held out of this one. Had an older one stayed in use, it would "
        "get that many right. Photos of a class that it does not know count as wrong."
    )


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({percent(figure.low)} to {percent(figure.high)})"


def _unbroken(text: str) -> str:
    """The text without line breaks between numbers and percent signs."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _measured_on(figure: Figure) -> str:
    measured = "This version" if figure.measures == "version" else "The recipe"
    return as_markdown(f"{measured}, on {figure.counts}: {figure.split}.")
