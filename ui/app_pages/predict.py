"""Predict: one photograph in, its grade in words, figures and a chart out."""

import components
import loaders
import state
import streamlit as st
from answers import Prediction
from photos import READABLE, Photo
from problems import ApiProblem

_UPLOAD = "Choose a file"
_CAMERA = "Take a photo"
_ICONS = {_UPLOAD: ":material/upload:", _CAMERA: ":material/photo_camera:"}


def choose_photo() -> None:
    """Offer the uploader or, only when asked for, the camera."""
    source = st.segmented_control(
        "Where the photo comes from",
        [_UPLOAD, _CAMERA],
        default=_UPLOAD,
        required=True,
        format_func=lambda name: f"{_ICONS[name]} {name}",
        key=state.SOURCE,
        label_visibility="collapsed",
    )
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
    if outcome is None:
        with st.spinner("Grading the photo"):
            try:
                outcome = loaders.api().predict(photo.name, photo.data)
            except ApiProblem as problem:
                outcome = problem
        if isinstance(outcome, Prediction) or not outcome.passing:
            state.keep_outcome(outcome)
    return outcome


def show_outcome(photo: Photo) -> None:
    """Show the photo's grade, or what stands in its way."""
    outcome = grade(photo)
    if isinstance(outcome, Prediction):
        components.prediction_card(photo, outcome)
    else:
        components.problem_message(outcome, refused="This photo cannot be graded")


def show_start() -> None:
    """Nothing chosen yet: say what to do, or that the API is away."""
    if away := loaders.health_problem():
        components.api_away(away)
    else:
        components.empty_state(
            "nutrition",
            "No photo yet",
            "Choose or take a photo of one fruit. Its grade appears here.",
        )


st.title("Is it fresh?", anchor=False)
st.write("Show one fruit and see whether it is fresh or rotten, and how sure the model is.")
choose_photo()
if photo := state.photo():
    show_outcome(photo)
else:
    show_start()
