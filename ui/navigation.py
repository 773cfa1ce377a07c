"""Runs on every visit: page config, navigation and the page, or the login."""

from pathlib import Path

import auth
import streamlit as st
from components.display import CLOSES_MENU, READABLE
from components.suggestion import suggestion_line

HERE = Path(__file__).parent
# File name, title and Material icon of each page, in the order of the navigation.
PAGES = (
    ("predict", "Predict", "nutrition"),
    ("inspections", "Inspections", "inventory_2"),
    ("history", "History", "history"),
    ("training_data", "Training data", "add_photo_alternate"),
    ("retrain", "Retrain", "model_training"),
    ("dataset_insights", "Dataset insights", "insights"),
    ("model_report", "Model report", "fact_check"),
    ("monitoring", "Monitoring", "monitoring"),
)
# Their tables need the width.
WIDE = ("training_data", "retrain")

st.set_page_config(page_title="Ripeline", page_icon=str(HERE / "assets" / "logo.svg"))
st.logo(str(HERE / "assets" / "logo.svg"), size="large")
allowed = auth.is_allowed()
page = st.navigation(
    [
        st.Page(HERE / "app_pages" / f"{name}.py", title=title, icon=f":material/{icon}:")
        for name, title, icon in PAGES
    ],
    position="top" if allowed else "hidden",
)
# Set for every page: without it, a page is as wide as the one visited before.
st.set_page_config(layout="wide" if page.url_path in WIDE else "centered")
if allowed:
    st.html(READABLE)
    st.html(CLOSES_MENU, unsafe_allow_javascript=True)
    suggestion_line()
    page.run()
else:
    auth.ask()
