"""Monitoring: still to come."""

import components
import streamlit as st

st.title("Monitoring", anchor=False)
components.empty_state("monitoring", "Nothing here yet", "This page is being built.")
