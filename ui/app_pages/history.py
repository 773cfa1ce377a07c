"""History: find graded photos, look at them, and say whether the grade is right."""

import cached_api
import history_state
import streamlit as st
from components.history.filters import ask_filters
from components.history.opened import opened_photo
from components.history.rows import rows
from components.messages import api_unavailable, show_error
from errors import ApiError

st.title("History", anchor=False)
opened = history_state.opened()
if outage := cached_api.health_error():
    api_unavailable(outage)
elif opened:
    opened_photo(opened)
else:
    st.write("Everything that was graded. Open a photo to see its grade and to say what it is.")
    try:
        rows(ask_filters())
    except ApiError as error:
        show_error(error, rejected="The history cannot be searched")
