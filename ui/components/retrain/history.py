"""The runs of the past."""

import streamlit as st
from clock import local
from resources.runs import Run, Runs
from words import duration, sentence, when, who


def runs_table(found: Runs) -> None:
    """One row a run, the newest first."""
    st.dataframe([_row(run) for run in found.runs], hide_index=True)
    if found.total > len(found.runs):
        st.caption(f"The newest {len(found.runs)} of {found.total:,} runs.")


def _row(run: Run) -> dict[str, object]:
    return {
        "Asked for": when(local(run.created_at)),
        "Mode": sentence(run.mode),
        "Started by": sentence(who(run.started_by)),
        "Outcome": _outcome(run),
        "Took": "—" if run.seconds is None else duration(run.seconds),
        "Version": run.candidate or "—",
        "In words": run.message,
    }


def _outcome(run: Run) -> str:
    if run.verdict is None:
        return sentence(run.state)
    return "Passed the gate" if run.verdict.promote else "Did not pass the gate"
