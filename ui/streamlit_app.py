"""The app. Start it with `streamlit run ui/streamlit_app.py`."""

from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import components
import streamlit as st
from access import login
from settings import Settings

# Else the first visitor would wait a second while charts and HTTP are imported.
for part in walk_packages(components.__path__, "components."):
    import_module(part.name)

app = st.App(Path(__file__).parent / "navigation.py", secrets=login.secrets(Settings()))
