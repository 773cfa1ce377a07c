"""Monitoring: how the service is and was, and whether its world has changed."""

import loaders
import state
import streamlit as st
from components.messages import problem_message
from components.monitoring.drift import drift_figures
from components.monitoring.service import service_figures
from problems import ApiProblem

_HOURS = {1: "Hour", 24: "Day", 24 * 7: "Week", 24 * 30: "30 days"}

st.title("Monitoring", anchor=False)
st.caption(f"The service at `{loaders.api().address}`")
hours = st.segmented_control(
    "The last",
    list(_HOURS),
    default=24,
    required=True,
    format_func=lambda number: _HOURS[number],
    key=state.HOURS,
    persist_state="session",
)
try:
    loaders.summary(hours)
except ApiProblem as problem:
    problem_message(problem, refused="The figures cannot be told")
else:
    service_figures(hours)
    drift_figures()
