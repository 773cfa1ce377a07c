"""Training data: still to come."""

import components
import streamlit as st

st.title("Training data", anchor=False)
components.empty_state("add_photo_alternate", "Nothing here yet", "This page is being built.")
