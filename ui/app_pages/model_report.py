"""Model report: still to come."""

import components
import streamlit as st

st.title("Model report", anchor=False)
components.empty_state("fact_check", "Nothing here yet", "This page is being built.")
