"""What pages load. The caches are bounded, and shared by all sessions."""

import photos
import streamlit as st
from client import ApiClient
from problems import ApiProblem
from resources import monitoring, runs
from settings import Settings


def api() -> ApiClient:
    """The client of the API that the environment names."""
    settings = Settings()
    return _client(settings.api_url, settings.api_timeout, settings.api_health_timeout)


def health_problem() -> ApiProblem | None:
    """Why the API cannot be used just now, or None where it can. Never cached."""
    try:
        api().health()
    except ApiProblem as problem:
        return problem
    return None


@st.cache_data(max_entries=32, show_spinner=False)
def preview(data: bytes) -> bytes | None:
    """The picture to show of a photograph, or None where there is none."""
    return photos.preview(data)


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def estimate() -> runs.Estimate:
    """What there is to learn, and how long it takes."""
    return runs.estimate(api())


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def summary(hours: float) -> monitoring.Summary:
    """The last hours of the service."""
    return monitoring.summary(api(), hours)


@st.cache_data(ttl=20, max_entries=1, show_spinner=False)
def drift() -> monitoring.Drift:
    """Whether anything has shifted; the API takes some tenths of a second to tell."""
    return monitoring.drift(api())


def forget_learning() -> None:
    """Forget what a run or a promotion may have changed."""
    estimate.clear()
    drift.clear()


@st.cache_resource(max_entries=4, on_release=ApiClient.close, show_spinner=False)
def _client(address: str, timeout: float, health_timeout: float) -> ApiClient:
    return ApiClient(address, timeout=timeout, health_timeout=health_timeout)
