"""Inspections: photograph a lot, and see whether to accept or reject it."""

import cached_api
import inspection_state
import streamlit as st
from components.inspections.choose import choose
from components.inspections.lot import lot
from components.messages import api_unavailable

opened = inspection_state.inspection_id()
outage = cached_api.health_error()
upload = inspection_state.inspection_upload()
if outage and not (upload and not upload.finished):
    st.title("Inspections", anchor=False)
    api_unavailable(outage)
elif opened:
    lot(opened)
else:
    st.title("Inspections", anchor=False)
    st.write("Photograph a lot, and see whether to accept or reject it.")
    choose()
