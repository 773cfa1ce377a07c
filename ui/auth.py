"""Who may use the app: everybody, people who have the password, or people who log in (OIDC).

The app asks for a login if Streamlit's secrets have an `[auth]` section, which `login_secrets`
makes from the environment; otherwise for a password, if RIPELINE_UI_PASSWORD is set.
"""

import hmac
from collections import deque
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from math import ceil
from threading import Lock
from time import monotonic
from typing import Any

import streamlit as st
from formatting import pluralize
from settings import Settings

MAX_TRIES = 10
WINDOW_SECONDS = 60.0
CALLBACK = "oauth2callback"
_ALLOWED = "auth_allowed"
_PASSWORD = "auth_password"  # noqa: S105 - a widget's key
_WRONG = "auth_wrong"


class LoginThrottle:
    """Checks the password, and allows few wrong tries a minute for all users together. Thread-safe.
    It does not tell browsers apart, not even by address, which an attacker could change. So
    guessing makes others wait too, but never succeeds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._wrong: deque[float] = deque()
        self._lock = Lock()

    def check(self, password: str, given: str) -> bool:
        """Whether `given` is the password; always False during the waiting time."""
        with self._lock:
            if self._wait():
                return False
            right = hmac.compare_digest(password.encode(), given.encode())
            if not right:
                self._wrong.append(self._clock())
            return right

    def seconds_to_wait(self) -> float:
        """How long until a password is checked again; 0 if at once."""
        with self._lock:
            return self._wait()

    def _wait(self) -> float:
        now = self._clock()
        while self._wrong and now - self._wrong[0] >= WINDOW_SECONDS:
            self._wrong.popleft()
        if len(self._wrong) < MAX_TRIES:
            return 0.0
        return self._wrong[0] + WINDOW_SECONDS - now


def is_allowed() -> bool:
    """Whether this browser session may use the app."""
    if _has_login():
        return bool(st.user.is_logged_in)
    return not _password() or bool(st.session_state.get(_ALLOWED))


def ask() -> None:
    """Ask for a login or the password."""
    st.title("Ripeline", anchor=False)
    if _has_login():
        _ask_for_login()
    else:
        _ask_for_password()


def login_secrets(settings: Settings) -> Mapping[str, Any] | None:
    """The `[auth]` section for `st.login`, used instead of one in `secrets.toml`.

    None if the environment names no provider.
    """
    if not settings.oidc_metadata_url:
        return None
    return {
        "auth": {
            "redirect_uri": f"{settings.ui_url}/{CALLBACK}",
            "cookie_secret": settings.oidc_cookie_secret.get_secret_value(),
            "server_metadata_url": settings.oidc_metadata_url,
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret.get_secret_value(),
        }
    }


def has_login_section() -> bool:
    """Whether a `secrets.toml` has an `[auth]` section."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


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
        label = f"Log in with {name.capitalize()}"
        st.button(label, icon=":material/login:", on_click=st.login, args=(name,))


def _ask_for_password() -> None:
    with st.form("auth", border=False):
        st.text_input("Password", type="password", key=_PASSWORD, autocomplete="current-password")
        st.form_submit_button("Open", type="primary", icon=":material/login:", on_click=_try)
    if wait := _throttle().seconds_to_wait():
        st.warning(
            f"Too many wrong passwords. Try again in {pluralize(ceil(wait), 'second')}.",
            icon=":material/hourglass:",
        )
    elif st.session_state.get(_WRONG):
        st.error("This is not the password. Try again.", icon=":material/error:")


def _try() -> None:
    right = _throttle().check(_password(), st.session_state.pop(_PASSWORD, ""))
    st.session_state[_ALLOWED] = right
    st.session_state[_WRONG] = not right


def _has_login() -> bool:
    # Streamlit adds this to the user if its secrets have an [auth] section.
    return "is_logged_in" in st.user


def _password() -> str:
    return Settings().ui_password.get_secret_value()


@st.cache_resource(show_spinner=False)
def _throttle() -> LoginThrottle:
    return LoginThrottle()
