"""What came of a run: the verdict, its reasons, and candidate against champion."""

import streamlit as st
from charts.retraining import Pair, recall_pairs
from resources.runs import Comparison, Run, Verdict
from words import class_words, duration

from components import comparisons
from components.plots import chart
from components.retrain.champion import confirm_promotion

_ENDS = {
    "failed": ("The last run failed", "error"),
    "cancelled": ("The last run was cancelled", "cancel"),
    "interrupted": ("The last run was interrupted", "power_off"),
}


def outcome(run: Run, champion: str | None) -> None:
    """The end of the `run`, while `champion` serves."""
    if run.verdict is None or run.candidate is None:
        title, icon = _ENDS.get(run.state, ("The last run is over", "info"))
        show = st.error if run.state == "failed" else st.info
        show(f"**{title}**\n\n{run.message}", icon=f":material/{icon}:")
        return
    st.header("The last candidate against its champion", anchor=False)
    _verdict(run.candidate, run.verdict, champion)
    if run.verdict.figures:
        _side_by_side(run.verdict.figures, run.candidate)
    taken = f" in {duration(run.seconds)}" if run.seconds is not None else ""
    st.caption(f"Made by a {run.mode} run{taken}.")


def _verdict(candidate: str, verdict: Verdict, champion: str | None) -> None:
    reasons = "\n".join(f"- {reason}" for reason in verdict.reasons)
    if verdict.promote:
        now = "and serves" if candidate == champion else "and served; another version does now"
        st.success(
            f"**Version {candidate} passed the gate {now}**\n\n{reasons}",
            icon=":material/verified:",
        )
        return
    st.warning(
        f"**Version {candidate} did not pass the gate**\n\n{reasons}", icon=":material/block:"
    )
    if candidate == champion:
        st.write("A person promoted it all the same: it serves now.")
    elif champion and st.button("Promote it all the same", icon=":material/upgrade:"):
        confirm_promotion(champion, candidate, tuple(verdict.reasons))


def _side_by_side(figures: Comparison, candidate: str) -> None:
    table, by_class = st.columns([3, 2], gap="large")
    with table:
        _table(figures)
        number = figures.overall.photographs
        st.caption(
            f"Both graded the same {number:,} held-out photographs, which neither learned from; "
            f"saved copies of a photograph count once. Candidate: {candidate}."
        )
    with by_class:
        _by_class(figures)


def _table(figures: Comparison) -> None:
    rows = comparisons.judged(figures)
    st.table(
        {
            "Figure": [name for name, _, _ in rows],
            "Champion": [value for _, value, _ in rows],
            "Candidate": [value for _, _, value in rows],
        },
    )


def _by_class(figures: Comparison) -> None:
    pairs = comparisons.by_class(figures)
    if not pairs:
        return
    st.subheader("Right by class", anchor=False)
    told = ", ".join(f"{class_words(name)} {_in_words(pair)}" for name, pair in pairs.items())
    chart(recall_pairs(pairs), "recalls", f"Right by class, champion and candidate: {told}.")
    if alone := comparisons.by_what_others_teach(figures):
        names = ", ".join(map(class_words, alone))
        st.caption(
            f"{names}: none is held out, so each was graded by what the others of its class teach."
        )


def _in_words(pair: Pair) -> str:
    champion = "unknown to it" if pair.champion is None else pair.champion
    return f"{champion} and {pair.candidate} of {pair.photographs}"
