"""Monitoring: the service now and recently, whether its photos have changed, when to retrain."""

import cached_api
import state
import streamlit as st
from components.messages import show_error
from components.monitoring.accuracy import accuracy_in_use
from components.monitoring.drift import drift_metrics
from components.monitoring.service import service_metrics
from components.monitoring.triggers import trigger_cards
from errors import ApiError

_HOURS = {1: "Hour", 24: "Day", 24 * 7: "Week", 24 * 30: "30 days"}

st.title("Monitoring", anchor=False)
st.caption(f"The service at `{cached_api.api().address}`")
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
    cached_api.monitoring_summary(hours)
except ApiError as error:
    show_error(error, rejected="The numbers are not available")
else:
    service_metrics(hours)
    accuracy_in_use()
    drift_metrics()
    trigger_cards()
