"""Everything that is kept for one browser session, under its keys, in one place."""

import streamlit as st
from answers import Prediction
from photos import Photo
from problems import ApiProblem

UPLOAD = "upload"
CAMERA = "camera"
SOURCE = "photo_source"
MODE = "retrain_mode"
RETRAIN_TAB = "retrain_tab"
HOURS = "monitoring_hours"
_PHOTO = "photo"
_OUTCOME = "outcome"


def take_photo(widget: str) -> None:
    """Take over what `widget` holds now, and forget the outcome of the photograph before it."""
    file = st.session_state[widget]
    st.session_state[_PHOTO] = None if file is None else Photo(file.name, file.getvalue())
    st.session_state[_OUTCOME] = None


def photo() -> Photo | None:
    """The photograph in hand. It stays while the person visits other pages."""
    found: Photo | None = st.session_state.get(_PHOTO)
    return found


def outcome() -> Prediction | ApiProblem | None:
    """What came of the photograph in hand, or None where it still has to be sent."""
    found: Prediction | ApiProblem | None = st.session_state.get(_OUTCOME)
    return found


def keep_outcome(found: Prediction | ApiProblem) -> None:
    """Keep what came of the photograph in hand, so that reruns do not send it again."""
    st.session_state[_OUTCOME] = found


def problem(area: str) -> ApiProblem | None:
    """What stood in the way of the last attempt in this `area` of a page."""
    found: ApiProblem | None = st.session_state.get(f"problem_{area}")
    return found


def keep_problem(area: str, found: ApiProblem | None) -> None:
    """Keep what stood in the way, until the next attempt in the same area."""
    st.session_state[f"problem_{area}"] = found
