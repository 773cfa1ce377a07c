"""Dataset insights: still to come."""

import components
import streamlit as st

st.title("Dataset insights", anchor=False)
components.empty_state("insights", "Nothing here yet", "This page is being built.")
