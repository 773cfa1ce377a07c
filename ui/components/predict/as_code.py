"""How a program makes the same call: for people who build on the API."""

import call_code
import streamlit as st
from api_models import Prediction
from photos import Photo
from settings import Settings


def as_code(photo: Photo, prediction: Prediction) -> None:
    """The call that graded `photo`, in three languages."""
    settings = Settings()
    address, by_fruit = settings.api_url, prediction.instances is not None
    has_key = bool(settings.api_key.get_secret_value())
    with st.expander("This call as code", icon=":material/code:"):
        terminal, python, javascript = st.tabs(["Terminal", "Python", "JavaScript"])
        options = {"by_fruit": by_fruit, "has_key": has_key}
        with terminal:
            st.code(
                call_code.curl(address, photo.name, **options), language="bash", wrap_lines=True
            )
        with python:
            st.code(call_code.python(address, photo.name, **options), language="python")
        with javascript:
            st.code(call_code.javascript(address, **options), language="javascript")
            st.caption(
                "For a page with a file input. The API answers pages of other sites where "
                "`RIPELINE_CORS_ORIGINS` names them."
            )
        st.caption(
            f"`{address}` is where this app reaches the API; from elsewhere its address may be "
            "another." + (f" The key is taken from `{call_code.KEY}`." if has_key else "")
        )
