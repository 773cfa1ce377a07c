"""The embedding map, with the photo of the selected dot."""

import cached_api
import state
import streamlit as st
from api_models import Point
from charts.insights import embedding_map
from client import photo_path
from errors import ApiError
from formatting import class_label, pluralize
from plain_text import as_markdown

from components.display import selectable_chart
from components.messages import empty_state, show_error

LIMIT = 2000
_ORIGINS = {
    "shipped": "came with the model",
    "boxed": "one fruit of a phone photo that came with the model",
    "upload": "uploaded",
    "feedback": "from a corrected prediction",
    "review": "from the review queue",
}
_SPLITS = {"train": "learned from", "validation": "tuned on", "test": "measured on"}


@st.fragment
def map_of_photos() -> None:
    """The map with the selected photo beside it."""
    st.header("Which photos look alike to the model?", anchor=False)
    try:
        cached_api.require_api()
        with st.spinner("Making the map"):
            answer = cached_api.embedding_map(LIMIT)
    except ApiError as error:
        show_error(error, rejected="The map cannot be drawn")
        return
    st.write(as_markdown(answer.story))
    if not answer.points:
        empty_state("scatter_plot", "Nothing to show yet", "Add photos on the Training data page.")
        return
    with_photo = [point for point in answer.points if point.image_id]
    # Dots with a photo are hard to hit among many small dots.
    only = bool(with_photo) and st.toggle(
        "Only dots with a photo to show", key=state.ONLY_WITH_PHOTO
    )
    shown = with_photo if only else answer.points
    map_column, photo_column = st.columns([3, 1], gap="medium")
    with map_column:
        selected = selectable_chart(
            embedding_map(shown),
            "map-photos" if only else "map",
            f"{pluralize(len(shown), 'photo')} in two dimensions, coloured by class.",
        )
    with photo_column:
        if selected is not None and selected < len(shown):
            _selected(shown[selected])
        else:
            st.caption("Choose a dot to see what it is; dots with a rim have a photo to show.")
    st.caption(f"By version `{answer.model_version}`.")


def _selected(point: Point) -> None:
    label = class_label(point.class_name)
    if point.image_id:
        [thumbnail] = cached_api.thumbnails().get([photo_path(point.image_id)])
        if thumbnail is None:
            st.caption(":material/hide_image: Its photo cannot be shown right now.")
        else:
            st.image(thumbnail, width="stretch", alt=f"{label}: {point.photograph}")
    st.markdown(f"**{as_markdown(label)}**")
    st.caption(
        f"{as_markdown(point.photograph)} · {_ORIGINS.get(point.origin, point.origin)} · "
        f"{_SPLITS.get(point.split, point.split)}"
    )
    if not point.image_id:
        st.caption("The model keeps what it learned from this photo, not the photo.")
