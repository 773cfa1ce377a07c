"""Retrain: learn what is new, see whether it is better, go back where it is not."""

import loaders
import state
import streamlit as st
from components.attempts import show_problem
from components.messages import empty_state, problem_message
from components.retrain.champion import AREA, change_champion
from components.retrain.history import runs_table
from components.retrain.line import freshness_line
from components.retrain.outcome import outcome
from components.retrain.progress import progress_panel
from components.retrain.start import start_panel
from components.retrain.triggers import trigger_cards
from components.retrain.versions import champions_table, versions_table
from problems import ApiProblem
from resources import models, runs
from resources.models import Versions

_RUNS = 50
_VERSIONS, _TRIGGERS, _LINE, _HISTORY = (
    "Versions",
    "Triggers",
    "Where to draw the line",
    "Past runs",
)


def show_versions(found: Versions) -> None:
    """All versions, what to do with them, and what served when."""
    if not found.models:
        empty_state("deployed_code", "No version yet", "Train one: `make train`.")
        return
    versions_table(found)
    change_champion(found)
    st.subheader("What served when", anchor=False)
    champions_table(models.history(loaders.api()).promotions)


def show_runs() -> None:
    """The newest runs."""
    found = runs.listed(loaders.api(), _RUNS)
    if found.runs:
        runs_table(found)
    else:
        empty_state("history", "No run yet", "Start one above; it is listed here for good.")


# The table of versions needs the width.
st.set_page_config(layout="wide")
st.title("Retrain", anchor=False)
st.write(
    "Teach the grader what it has not learned yet. What comes out serves only if it is at least as "
    "good on photographs that neither has seen."
)
show_problem(AREA, "Another version cannot serve")
try:
    run, versions = runs.newest(loaders.api()), models.listed(loaders.api())
    if run and run.active:
        progress_panel(run)
    else:
        start_panel(run, versions.champion)
        if run:
            outcome(run, versions.champion)
    version_tab, trigger_tab, line_tab, run_tab = st.tabs(
        [_VERSIONS, _TRIGGERS, _LINE, _HISTORY], key=state.RETRAIN_TAB, on_change="rerun"
    )
    with version_tab:
        if version_tab.open:
            show_versions(versions)
    with trigger_tab:
        if trigger_tab.open:
            trigger_cards()
    with line_tab:
        if line_tab.open:
            freshness_line()
    with run_tab:
        if run_tab.open:
            show_runs()
except ApiProblem as problem:
    problem_message(problem, refused="The state of the learning cannot be told")
