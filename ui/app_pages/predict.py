"""Predict: grade one photo or many."""

import cached_api
import state
import streamlit as st
from api_models import Prediction
from components.live.camera import live_camera
from components.messages import api_unavailable, empty_state, show_error
from components.predict.as_code import as_code
from components.predict.batch import batch
from components.predict.prediction import prediction_card, probabilities
from components.predict.samples import samples, what_it_knows
from components.predict.tray import shown_by_fruit
from errors import ApiError
from photos import READABLE, Photo

_UPLOAD = "Choose a photo"
_CAMERA = "Take a photo"
_MANY = "Many photos"
_LIVE = "Live camera"
# Two columns on a phone, with buttons large enough for a thumb.
_TWO_BY_TWO = (
    "<style>@media (max-width: 640px) {"
    f".st-key-{state.SOURCE} [role=radiogroup] {{ display: grid; gap: 0.5rem; "
    "grid-template-columns: 1fr 1fr; }"
    f".st-key-{state.SOURCE} [role=radio] {{ width: 100%; min-height: 44px; margin: 0; "
    "border-radius: 0.75rem; }"
    f".st-key-{state.SOURCE} [role=radio]:not([aria-checked=true]) "
    "{ border-color: #80908059 !important; } }</style>"
)


def choose_source() -> str:
    """Ask where the photo comes from. The camera starts only when chosen."""
    st.html(_TWO_BY_TWO)
    return st.segmented_control(
        "Where the photo comes from",
        [_UPLOAD, _CAMERA, _MANY, _LIVE],
        default=_UPLOAD,
        required=True,
        key=state.SOURCE,
        label_visibility="collapsed",
        persist_state="session",
    )


def choose_photo(source: str) -> None:
    """Offer a camera or the uploader."""
    if source == _CAMERA:
        st.camera_input(
            "Take a photo of a fruit, or of a tray",
            key=state.CAMERA,
            on_change=state.take_photo,
            args=(state.CAMERA,),
        )
    elif source == _LIVE:
        st.caption("Each fruit is graded as you go. Only a photo that you keep is recorded.")
        live_camera(keep)
    else:
        st.file_uploader(
            "Photo of a fruit, or of a tray",
            type=READABLE,
            key=state.UPLOAD,
            on_change=state.take_photo,
            args=(state.UPLOAD,),
        )


def keep(photo: Photo) -> str:
    """Make a photo from the live camera the current one."""
    state.grade_photo(photo)
    return "Kept: its grade is below."


def grade(photo: Photo) -> Prediction | ApiError:
    """The photo's outcome; it is sent to the API only once, unless a retry may help."""
    outcome = state.outcome()
    explain = bool(st.session_state.get(state.HEAT_MAP))
    if outcome is None:
        outcome = ask(photo, explain)
        if isinstance(outcome, Prediction) or not outcome.retryable:
            state.keep_outcome(outcome)
    elif isinstance(outcome, Prediction) and explain and outcome.explanation is None:
        # With the id, so that the prediction counts once.
        again = ask(photo, explain, "" if photo.is_sample else outcome.prediction_id)
        if isinstance(again, Prediction):
            outcome = outcome.model_copy(update={"explanation": again.explanation})
            state.keep_outcome(outcome)
    return outcome


def ask(photo: Photo, explain: bool, prediction_id: str = "") -> Prediction | ApiError:
    """Send the photo to the API; with `prediction_id` if it has already been graded."""
    try:
        return cached_api.api().predict(
            photo.name,
            photo.data,
            explain=explain,
            prediction_id=prediction_id,
            instances=not prediction_id and cached_api.finds_fruits(),
            record=not photo.is_sample,
        )
    except ApiError as error:
        return error


def show_outcome(photo: Photo) -> None:
    """Show the photo's grade, or why there is none."""
    if state.outcome() is None:
        # Replaces the previous photo's grade, which would otherwise stay until this one is graded.
        place = st.empty()
        with place, st.spinner("Grading the photo. Many fruits take a few seconds."):
            outcome = grade(photo)
        card = place.container(key="prediction")
    else:
        outcome = grade(photo)
        card = st.container(key="prediction")
    with card:
        if not isinstance(outcome, Prediction):
            show_error(outcome, rejected="This photo cannot be graded")
            return
        if not shown_by_fruit(photo, outcome):
            prediction_card(photo, outcome, ask=not photo.is_sample)
            probabilities(outcome)
        as_code(photo, outcome)
        if photo.is_sample:
            samples()


def show_start() -> None:
    """No photo yet: say what to do, or that the API is unavailable."""
    if error := cached_api.health_error():
        api_unavailable(error)
    else:
        empty_state(
            "nutrition",
            "No photo yet",
            "Choose or take a photo of a fruit, a bowl or a tray. Each fruit is graded. "
            + what_it_knows(),
        )
        samples()


state.look_at()
st.title("Is it fresh?", anchor=False)
st.write(
    "Show a fruit, or many, and see whether it is fresh, past its best or rotten, and how sure the "
    "model is."
)
if state.batch_id() and state.SOURCE not in st.session_state:
    st.session_state[state.SOURCE] = _MANY
source = choose_source()
if source == _MANY:
    batch()
else:
    choose_photo(source)
    if photo := state.photo():
        show_outcome(photo)
    else:
        show_start()
