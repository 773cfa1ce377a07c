"""Who may use the app: everybody, whoever knows the password, or whoever logs in (OIDC).

A login is asked for where Streamlit's secrets have an `[auth]` section, which `login` makes of the
environment; otherwise a password where RIPELINE_UI_PASSWORD is set.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from math import ceil

import streamlit as st
from settings import Settings
from words import counted

from access.guard import Guard

_GRANTED = "access_granted"
_GIVEN = "access_password"
_WRONG = "access_wrong"


def granted() -> bool:
    """Whether this browser session may use the app."""
    if _has_login():
        return bool(st.user.is_logged_in)
    return not _password() or bool(st.session_state.get(_GRANTED))


def ask() -> None:
    """Ask for a login or the password."""
    st.title("Ripeline", anchor=False)
    if _has_login():
        _ask_for_login()
    else:
        _ask_for_password()


def _ask_for_login() -> None:
    st.write("Log in to grade photos and to train the model.")
    if find_spec("authlib") is None:
        st.error("Logging in needs Authlib: `pip install Authlib`.", icon=":material/error:")
        return
    section = st.secrets.get("auth", {})
    providers = [name for name, value in section.items() if isinstance(value, Mapping)]
    if "client_id" in section or not providers:
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
    for name in providers:
        words = f"Log in with {name.capitalize()}"
        st.button(words, icon=":material/login:", on_click=st.login, args=(name,))


def _ask_for_password() -> None:
    with st.form("access", border=False):
        st.text_input("Password", type="password", key=_GIVEN, autocomplete="current-password")
        st.form_submit_button("Open", type="primary", icon=":material/login:", on_click=_try)
    if wait := _guard().seconds_to_wait():
        st.warning(
            f"Too many wrong passwords. Try again in {counted(ceil(wait), 'second')}.",
            icon=":material/hourglass:",
        )
    elif st.session_state.get(_WRONG):
        st.error("This is not the password. Try again.", icon=":material/error:")


def _try() -> None:
    right = _guard().admits(_password(), st.session_state.pop(_GIVEN, ""))
    st.session_state[_GRANTED] = right
    st.session_state[_WRONG] = not right


def _has_login() -> bool:
    # Streamlit adds this to the user where its secrets have an [auth] section.
    return "is_logged_in" in st.user


def _password() -> str:
    return Settings().ui_password.get_secret_value()


@st.cache_resource(show_spinner=False)
def _guard() -> Guard:
    return Guard()
