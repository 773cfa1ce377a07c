"""A person's corrections of a photo of several fruits: shows and saves them."""

import cached_api
import corrections
import state
import streamlit as st
from api_models import BoxesAnswer, ImageSize, Instance, Prediction
from corrections import Marked
from errors import ApiError
from photos import Photo
from plain_text import as_markdown

from components.messages import run_action, show_action_error

# The API's codes for a photo and a prediction that it no longer has.
_GONE = {"not-kept", "prediction-not-found"}


def teach(
    photo: Photo,
    prediction: Prediction,
    found: list[Instance],
    marked: list[Marked],
    *,
    can_draw: bool,
) -> None:
    """The corrections so far, and what can be done with them."""
    image = prediction.image
    if image is None:
        return
    with st.container(border=True, key="teach"):
        if answer := state.boxes_answer():
            _saved(answer)
        else:
            _unsaved(photo, prediction.prediction_id, image, found, marked, can_draw=can_draw)
        show_action_error(state.BOXES_AREA, "These corrections cannot be saved")


def _saved(answer: BoxesAnswer) -> None:
    if answer.photograph == "known":
        st.markdown(
            ":material/info: This photo is already in the training data, with its boxes. "
            "Those stay as they are, and your corrections are not used."
        )
    else:
        st.markdown(f":material/check_circle: {as_markdown(answer.message)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "app_pages/retrain.py",
            label="Retrain, so that a new model learns from it",
            icon=":material/model_training:",
        )
        st.button(
            "Change the corrections",
            type="tertiary",
            on_click=state.keep_boxes_answer,
            args=(None,),
        )


def _unsaved(
    photo: Photo,
    prediction_id: str,
    image: ImageSize,
    found: list[Instance],
    marked: list[Marked],
    *,
    can_draw: bool,
) -> None:
    steps = state.corrections()
    done = corrections.describe(found, marked)
    st.markdown(f"**Your corrections: {done}**" if done else "**Is something wrong?**")
    st.caption(
        "Tap a fruit to say what it is, or that it is no fruit. The next model learns the fruits "
        "that you confirm, correct or add with a class; a thorough retraining also learns from the "
        "boxes where fruits are."
    )
    with st.container(horizontal=True):
        st.button(
            "Add a fruit that was missed",
            icon=":material/add:",
            disabled=not can_draw,
            help=None if can_draw else "This kind of photo cannot be shown here to draw on.",
            on_click=state.open_fruit,
            args=(state.MISSED,),
        )
        if steps:
            st.button(
                "Undo",
                icon=":material/undo:",
                on_click=state.keep_corrections,
                args=(steps[:-1],),
            )
    complete = st.checkbox(
        "All fruits have a box" if marked else "There is no fruit in this photo",
        key=state.COMPLETE,
        persist_state="session",
        help="Then a thorough retraining learns that nothing outside of the boxes is a fruit.",
    )
    st.button(
        "Save corrections",
        type="primary",
        icon=":material/save:",
        disabled=not complete and not (steps and marked),
        on_click=_save,
        args=(photo, prediction_id, marked, image),
    )


def _save(photo: Photo, prediction_id: str, marked: list[Marked], image: ImageSize) -> None:
    # The checkbox may have been ticked since the page was drawn.
    complete = bool(st.session_state.get(state.COMPLETE))
    body = corrections.as_body(marked, state.corrections(), image, complete=complete)

    def action() -> None:
        try:
            answer = cached_api.api().put_boxes(prediction_id, body)
        except ApiError as error:
            if error.code not in _GONE:
                raise
            answer = _send_again(photo, prediction_id, body)
        state.keep_boxes_answer(answer)

    run_action(state.BOXES_AREA, action)
    cached_api.clear_training_data()


def _send_again(photo: Photo, graded_before: str, body: dict[str, object]) -> BoxesAnswer:
    """Grade the photo again, since it is no longer stored, and send the person's boxes for it."""
    prediction_id = cached_api.api().predict(photo.name, photo.data).prediction_id
    try:
        answer = cached_api.api().put_boxes(prediction_id, body)
    except ApiError as error:
        if error.code not in _GONE:
            raise
        raise ApiError(
            "The photo is not kept",
            "The grading service keeps no photos, so it cannot learn from this one. Your "
            "corrections stay here for now.",
            retryable=False,
        ) from error
    outcome = state.outcome()
    if isinstance(outcome, Prediction) and outcome.prediction_id == graded_before:
        state.keep_outcome(outcome.model_copy(update={"prediction_id": prediction_id}))
    return answer
