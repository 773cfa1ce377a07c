"""Retrain: still to come."""

import components
import streamlit as st

st.title("Retrain", anchor=False)
components.empty_state("model_training", "Nothing here yet", "This page is being built.")
