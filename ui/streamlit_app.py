"""The app: page config, navigation, run. Start it with `streamlit run ui/streamlit_app.py`."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="Ripeline", page_icon=str(HERE / "assets" / "logo.svg"))
st.logo(str(HERE / "assets" / "logo.svg"), size="large")
page = st.navigation(
    [
        st.Page(HERE / "app_pages" / "predict.py", title="Predict", icon=":material/nutrition:"),
        st.Page(HERE / "app_pages" / "service.py", title="Service", icon=":material/dns:"),
    ],
    position="top",
)
page.run()
