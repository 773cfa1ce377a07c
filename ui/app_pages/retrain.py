"""Retrain: learn from new photos, see whether the model is better, roll back if not."""

import cached_api
import state
import streamlit as st
from api_models import Versions
from components.messages import empty_state, show_action_error, show_error
from components.retrain.champion import AREA, change_champion
from components.retrain.choice import has_new
from components.retrain.freshness import freshness_thresholds
from components.retrain.outcome import outcome
from components.retrain.progress import is_active, progress_panel
from components.retrain.start import start_panel
from components.retrain.tables import promotions_table, runs_table, versions_table
from errors import ApiError

_MAX_RUNS = 50
_VERSIONS, _FRESHNESS, _HISTORY = "Versions", "Freshness limits", "Past runs"


def show_versions(versions: Versions) -> None:
    """All versions, what can be done with them, and which was in use when."""
    if not versions.models:
        empty_state("deployed_code", "No version yet", "Train one: `make train`.")
        return
    versions_table(versions)
    change_champion(versions)
    st.subheader("What was in use when", anchor=False)
    promotions_table(cached_api.models().promotions())


def show_runs() -> None:
    runs = cached_api.api().runs(_MAX_RUNS)
    if runs.runs:
        runs_table(runs)
    else:
        empty_state("history", "No run yet", "Start one above; all runs stay listed here.")


def is_anything_new() -> bool:
    """Whether there is something to learn; True if the API fails: `start_panel` shows why."""
    try:
        return has_new(cached_api.estimate())
    except ApiError:
        return True


st.title("Retrain", anchor=False)
st.write(
    "Teach the grader what is new. The new model is used only if it is at least as good on photos "
    "that neither model has seen."
)
show_action_error(AREA, "The version cannot be changed")
try:
    run, versions = cached_api.api().newest_run(), cached_api.models().versions()
    if run and is_active(run):
        progress_panel(run)
    elif run and not is_anything_new():
        # If there is nothing new to learn, the outcome of the last run comes first.
        outcome(run, versions.champion)
        start_panel(run, versions.champion)
    else:
        start_panel(run, versions.champion)
        if run:
            outcome(run, versions.champion)
    version_tab, freshness_tab, run_tab = st.tabs(
        [_VERSIONS, _FRESHNESS, _HISTORY], key=state.RETRAIN_TAB, on_change="rerun"
    )
    with version_tab:
        if version_tab.open:
            show_versions(versions)
    with freshness_tab:
        if freshness_tab.open:
            freshness_thresholds()
    with run_tab:
        if run_tab.open:
            show_runs()
except ApiError as error:
    show_error(error, rejected="The state of the retraining is not available")
