"""An opened photo of the history: its grade, the photo, whether the grade is right, and the next
one."""

from contextlib import suppress
from functools import partial

import cached_history
import history_state
import photos
import state
import streamlit as st
from api_models import HistoryItem, Prediction, PredictionPage
from charts.style import LEVELS, UNKNOWN_LEVEL
from errors import ApiError
from fruits import headline, level, relative_box, worst_first
from history import Search, as_prediction, details
from photos import DrawnBox, Photo
from plain_text import as_markdown

from components.history.rows import PAGE_SIZE
from components.messages import show_error
from components.predict.feedback import feedback
from components.predict.prediction import heading, prediction_card, probabilities, scores
from components.predict.tray import shown_by_fruit

_NOT_FOUND, _OTHER_VERSION = "prediction-not-found", "other-version"


def opened_photo(prediction_id: str) -> None:
    """The open photo, or why it cannot be shown."""
    _steps(prediction_id)
    try:
        item = cached_history.get(prediction_id)
    except ApiError as error:
        if error.code == _NOT_FOUND:
            st.info("There is no such photo. Go back to all photos.", icon=":material/search_off:")
        else:
            show_error(error, rejected="This photo cannot be shown")
        return
    state.look_at(prediction_id)
    st.caption(f"{as_markdown(item.filename or 'no name')} · {as_markdown(details(item))}")
    picture = cached_history.picture(item)
    prediction = as_prediction(item)
    with st.container(key="history-photo"):
        if item.inspection_id:
            _of_lot(item, prediction, picture)
        elif picture is None:
            _without_picture(item, prediction)
        else:
            _with_picture(item, prediction, Photo(item.filename or "photo.jpg", picture))


def _steps(prediction_id: str) -> None:
    """Buttons to all photos, and to the previous and next one (also with the arrow keys)."""
    walk = history_state.walk()
    load = partial(_load, walk.search)

    def go(forward: bool) -> None:
        # Not always the photo on the page: a key may be pressed again before the page is drawn.
        opened = history_state.opened() or prediction_id
        try:
            step = walk.next if forward else walk.previous
            history_state.open_photo(step(opened, load))
        except ApiError:  # The page says so when it asks for this photo again.
            cached_history.clear()

    if not walk.ids:  # After a reload: the photo may be on the first page.
        with suppress(ApiError):
            walk.see(load(walk.after))
    with st.container(horizontal=True, key="history-steps"):
        st.button(
            "All photos",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=history_state.open_photo,
        )
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            shortcut="Left",
            disabled=not walk.has_previous(prediction_id),
            on_click=go,
            args=(False,),
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            icon_position="right",
            shortcut="Right",
            disabled=not walk.has_next(prediction_id),
            on_click=go,
            args=(True,),
        )


def _load(search: Search, after: str | None) -> PredictionPage:
    return cached_history.find(search, after, PAGE_SIZE)


def _with_picture(item: HistoryItem, prediction: Prediction, photo: Photo) -> None:
    if shown_by_fruit(photo, prediction):
        return
    if st.session_state.get(state.HEAT_MAP):
        prediction = _explained(item, prediction, photo)
    prediction_card(photo, prediction, item)
    probabilities(prediction)


def _explained(item: HistoryItem, prediction: Prediction, photo: Photo) -> Prediction:
    """The prediction with its heat map, if there is one."""
    try:
        found = cached_history.explanation(item.prediction_id, photo.data)
    except ApiError as error:
        if error.code == _OTHER_VERSION:
            st.caption(
                f"Version {as_markdown(item.model_version)} graded this photo. The version in use "
                "now cannot show where that one looked."
            )
        return prediction
    return prediction.model_copy(update={"explanation": found})


def _without_picture(item: HistoryItem, prediction: Prediction) -> None:
    st.header(as_markdown(heading(prediction)), anchor=False)
    if prediction.recognised and not prediction.several:
        scores(prediction)
    st.info("This photo is no longer kept.", icon=":material/hide_image:")
    feedback(prediction, item)
    probabilities(prediction)


def _of_lot(item: HistoryItem, prediction: Prediction, picture: bytes | None) -> None:
    """A photo of an inspection, which is corrected there, fruit by fruit."""
    st.header(as_markdown(headline(prediction)), anchor=False)
    if picture:
        st.image(
            photos.with_boxes(picture, _boxes(prediction)),
            width="stretch",
            alt=f"{item.filename} with a box for each fruit: {headline(prediction)}",
        )
    else:
        st.info("This photo is no longer kept.", icon=":material/hide_image:")
    st.page_link(
        "app_pages/inspections.py",
        label=f"Open lot {as_markdown(item.lot or '')}, to correct its fruits",
        icon=":material/inventory_2:",
        query_params={"inspection": item.inspection_id or ""},
    )


def _boxes(prediction: Prediction) -> list[DrawnBox]:
    image = prediction.image
    if image is None:
        return []
    return [
        DrawnBox(
            relative_box(fruit, image),
            LEVELS.get(level(fruit) or "", UNKNOWN_LEVEL).colour,
            str(number),
        )
        for number, fruit in enumerate(worst_first(prediction), start=1)
    ]
