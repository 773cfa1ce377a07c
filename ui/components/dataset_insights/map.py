"""The map of the embeddings, with the picture of the dot that is chosen."""

import loaders
import state
import streamlit as st
from charts.maps import embedding_map
from problems import ApiProblem
from resources.dataset import photograph_path
from resources.insights import Point
from words import class_words, counted

from components.messages import empty_state, problem_message
from components.plots import choosing_chart

LIMIT = 2000
_ORIGINS = {
    "shipped": "came with the model",
    "boxed": "one fruit of a phone photograph that came with the model",
    "upload": "uploaded",
    "feedback": "from a corrected prediction",
    "review": "from the review queue",
}
_SPLITS = {"train": "learned from", "validation": "tuned on", "test": "measured on"}


@st.fragment
def map_of_photographs() -> None:
    """The map, and beside it what was chosen on it."""
    st.header("Which photographs look alike to the model?", anchor=False)
    try:
        loaders.insist_on_answer()
        with st.spinner("Placing the photographs"):
            found = loaders.embedding_map(LIMIT)
    except ApiProblem as problem:
        problem_message(problem, refused="The map cannot be drawn")
        return
    st.write(found.story)
    if not found.points:
        empty_state(
            "scatter_plot", "Nothing to place yet", "Add photographs on the page Training data."
        )
        return
    pictured = [point for point in found.points if point.image_id]
    # Among many small dots, those with a picture are hard to hit.
    only = bool(pictured) and st.toggle(
        "Only training images, which have a picture", key=state.ONLY_PICTURED
    )
    shown = pictured if only else found.points
    drawing, picture = st.columns([3, 1], gap="medium")
    with drawing:
        chosen = choosing_chart(
            embedding_map(shown),
            "map-pictured" if only else "map",
            f"{counted(len(shown), 'photograph')} in two dimensions, coloured by class.",
        )
    with picture:
        if chosen is not None and chosen < len(shown):
            _chosen(shown[chosen])
        else:
            st.caption("Choose a dot to see what it is; those with a rim have a picture here.")
    st.caption(f"By version `{found.model_version}`.")


def _chosen(point: Point) -> None:
    words = class_words(point.class_name)
    if point.image_id:
        [seen] = loaders.album().pictures([photograph_path(point.image_id)])
        if seen is None:
            st.caption(":material/hide_image: Its picture cannot be shown just now.")
        else:
            st.image(seen, width="stretch", alt=f"{words}: {point.photograph}")
    st.markdown(f"**{words}**")
    st.caption(
        f"{point.photograph} · {_ORIGINS.get(point.origin, point.origin)} · "
        f"{_SPLITS.get(point.split, point.split)}"
    )
    if not point.image_id:
        st.caption("The model keeps what it saw of it, not the picture.")
