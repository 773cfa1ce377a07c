"""Predict: one photograph or many in, grades in words, figures and charts out."""

import loaders
import state
import streamlit as st
from answers import Prediction
from components.messages import api_away, empty_state, problem_message
from components.predict.batch import batch
from components.predict.feedback import feedback
from components.predict.prediction import prediction_card, probabilities
from photos import READABLE, Photo
from problems import ApiProblem

_UPLOAD = "Choose a photo"
_CAMERA = "Take a photo"
_MANY = "Many photos"


def choose_source() -> str:
    """Ask where the photo comes from. The camera is started only when asked for."""
    return st.segmented_control(
        "Where the photo comes from",
        [_UPLOAD, _CAMERA, _MANY],
        default=_UPLOAD,
        required=True,
        key=state.SOURCE,
        label_visibility="collapsed",
        persist_state="session",
    )


def choose_photo(source: str) -> None:
    """Offer the camera or the uploader."""
    if source == _CAMERA:
        st.camera_input(
            "Photograph one fruit, close up",
            key=state.CAMERA,
            on_change=state.take_photo,
            args=(state.CAMERA,),
        )
    else:
        st.file_uploader(
            "Photo of one fruit",
            type=READABLE,
            key=state.UPLOAD,
            on_change=state.take_photo,
            args=(state.UPLOAD,),
        )


def grade(photo: Photo) -> Prediction | ApiProblem:
    """The photo's outcome; sent to the API only where it has none that lasts."""
    outcome = state.outcome()
    explain = bool(st.session_state.get(state.HEAT_MAP))
    if outcome is None:
        with st.spinner("Grading the photo"):
            outcome = ask(photo, explain)
        if isinstance(outcome, Prediction) or not outcome.passing:
            state.keep_outcome(outcome)
    elif isinstance(outcome, Prediction) and explain and outcome.explanation is None:
        again = ask(photo, explain)
        if isinstance(again, Prediction):
            # What people say is about the first prediction, so it stays.
            outcome = outcome.model_copy(update={"explanation": again.explanation})
            state.keep_outcome(outcome)
    return outcome


def ask(photo: Photo, explain: bool) -> Prediction | ApiProblem:
    """What the API says of the photo."""
    try:
        return loaders.api().predict(photo.name, photo.data, explain=explain)
    except ApiProblem as problem:
        return problem


def show_outcome(photo: Photo) -> None:
    """Show the photo's grade, or what stands in its way."""
    outcome = grade(photo)
    if isinstance(outcome, Prediction):
        with st.container(key="prediction"):
            prediction_card(photo, outcome)
            feedback(outcome)
            probabilities(outcome)
    else:
        problem_message(outcome, refused="This photo cannot be graded")


def show_start() -> None:
    """Nothing chosen yet: say what to do, or that the API is away."""
    if away := loaders.health_problem():
        api_away(away)
    else:
        empty_state(
            "nutrition",
            "No photo yet",
            "Choose or take a photo of one fruit. Its grade appears here.",
        )


st.title("Is it fresh?", anchor=False)
st.write(
    "Show a fruit, or many, and see whether it is fresh, past its best or rotten, and how sure the "
    "model is."
)
source = choose_source()
if source == _MANY:
    batch()
else:
    choose_photo(source)
    if photo := state.photo():
        show_outcome(photo)
    else:
        show_start()
