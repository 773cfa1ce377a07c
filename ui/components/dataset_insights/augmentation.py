"""What augmentation does: a photograph as it is, and eight training views with their scores."""

import loaders
import state
import streamlit as st
from charts.insights import score_strip
from photos import READABLE
from problems import ApiProblem
from resources.insights import Augmentation, View
from words import class_words, percent

from components.messages import empty_state, problem_message
from components.plots import chart

_CATALOG, _OWN = "A training image", "A photo of mine"
_CHOICE = 12
_VIEW_PIXELS = 130
_SQUARE = "<style>.st-key-views img { aspect-ratio: 1; border-radius: 0.5rem; }</style>"


@st.fragment
def before_and_after() -> None:
    """Choose a photograph; see it as training sees it, and what that does to its score."""
    st.header("What does training make of a photograph?", anchor=False)
    st.write(
        "Each time that the model learns from a photograph it sees another view of it: mirrored, "
        "turned, before another background, in other light. So it learns the fruit, and not the "
        "studio."
    )
    try:
        loaders.insist_on_answer()
        found = _chosen()
    except ApiProblem as problem:
        problem_message(problem, refused="This photo cannot be shown")
        return
    if found is None:
        empty_state(
            "auto_awesome_motion",
            "No photo yet",
            "Choose a photo of one fruit. It is shown as training would see it, and not kept.",
        )
        return
    st.write(found.story)
    if found.original.freshness_score is not None:
        chart(
            score_strip(found.original, found.views),
            "scores",
            f"Freshness score of the photo, {_score(found.original)}, and of its views: "
            f"{', '.join(map(_score, found.views))}.",
        )
    _views(found)
    st.caption(f"Graded by version `{found.model_version}`, by its own recipe of augmentation.")


def _chosen() -> Augmentation | None:
    images = loaders.training_images(None, None, None, 0, _CHOICE).images
    source = _OWN
    if images:
        source = st.segmented_control(
            "Which photo",
            [_CATALOG, _OWN],
            default=_CATALOG,
            required=True,
            key=state.AUGMENTED,
            persist_state="session",
            label_visibility="collapsed",
        )
    if source == _OWN:
        file = st.file_uploader("Photo of one fruit", type=READABLE, key=state.AUGMENTED_PHOTO)
        if file is None:
            return None
        seed = _seed()
        with st.spinner("Making views"):
            return loaders.augmentation_of_photo(file.name, file.getvalue(), seed)
    names = {image.id: f"{class_words(image.class_name)}: {image.filename}" for image in images}
    chosen = st.selectbox(
        "One of the newest training images", list(names), format_func=lambda k: names.get(k, k)
    )
    seed = _seed()
    if chosen is None:
        return None
    with st.spinner("Making views"):
        return loaders.augmentation_of_image(chosen, seed)


def _seed() -> int:
    st.button("Other views", icon=":material/casino:", type="primary", on_click=_next_seed)
    return int(st.session_state.get(state.SEED, 0))


def _next_seed() -> None:
    st.session_state[state.SEED] = int(st.session_state.get(state.SEED, 0)) + 1


def _views(found: Augmentation) -> None:
    st.html(_SQUARE)
    with st.container(horizontal=True, key="views", gap="medium"):
        _view(found.original, "As it is")
        for number, view in enumerate(found.views, start=1):
            _view(view, f"View {number}")


def _view(view: View, title: str) -> None:
    words = class_words(view.predicted_class)
    with st.container(width=_VIEW_PIXELS, gap="xsmall"):
        st.image(view.picture, width="stretch", alt=f"{title}: graded {words}")
        st.caption(f"**{title}**  \n{words}, {_score(view)}")


def _score(view: View) -> str:
    if view.freshness_score is None:
        return percent(view.confidence)
    return f"{100 * view.freshness_score:.0f} / 100"
