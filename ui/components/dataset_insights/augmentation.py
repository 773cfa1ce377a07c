"""Augmentation: a photo, and eight training views of it with their scores."""

import cached_api
import state
import streamlit as st
from api_models import Augmentation, View
from charts.insights import score_strip
from errors import ApiError
from formatting import class_label, percent
from photos import READABLE
from plain_text import as_markdown

from components.display import chart
from components.messages import empty_state, show_error

_CATALOG, _OWN = "A training photo", "A photo of mine"
_CHOICES = 12
_VIEW_PIXELS = 130
_SQUARE = "<style>.st-key-views img { aspect-ratio: 1; border-radius: 0.5rem; }</style>"


@st.fragment
def augmentation() -> None:
    """Choose a photo, and see its training views and how its score changes."""
    st.header("What does training make of a photo?", anchor=False)
    st.write(
        "Each time the model learns from a photo, it sees it differently: mirrored, turned, on "
        "another background, in other light. So it learns the fruit, not the studio."
    )
    try:
        cached_api.require_api()
        answer = _choose()
    except ApiError as error:
        show_error(error, rejected="This photo cannot be shown")
        return
    if answer is None:
        empty_state(
            "auto_awesome_motion",
            "No photo yet",
            "Choose a photo of one fruit. It is shown as training would see it, and not kept.",
        )
        return
    st.write(as_markdown(answer.story))
    if answer.original.freshness_score is not None:
        chart(
            score_strip(answer.original, answer.views),
            "scores",
            f"Freshness score of the photo, {_score(answer.original)}, and of its views: "
            f"{', '.join(map(_score, answer.views))}.",
        )
    _views(answer)
    st.caption(f"Graded by version `{answer.model_version}`, with its own augmentation.")


def _choose() -> Augmentation | None:
    images = cached_api.training_images(None, None, None, 0, _CHOICES).images
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
            return cached_api.augment_photo(file.name, file.getvalue(), seed)
    names = {image.id: f"{class_label(image.class_name)}: {image.filename}" for image in images}
    chosen = st.selectbox(
        "One of the newest training photos", list(names), format_func=lambda k: names.get(k, k)
    )
    seed = _seed()
    if chosen is None:
        return None
    with st.spinner("Making views"):
        return cached_api.augment_image(chosen, seed)


def _seed() -> int:
    st.button("Other views", icon=":material/casino:", type="primary", on_click=_next_seed)
    return int(st.session_state.get(state.SEED, 0))


def _next_seed() -> None:
    st.session_state[state.SEED] = int(st.session_state.get(state.SEED, 0)) + 1


def _views(answer: Augmentation) -> None:
    st.html(_SQUARE)
    with st.container(horizontal=True, key="views", gap="medium"):
        _view(answer.original, "As it is")
        for number, view in enumerate(answer.views, start=1):
            _view(view, f"View {number}")


def _view(view: View, title: str) -> None:
    label = class_label(view.predicted_class)
    with st.container(width=_VIEW_PIXELS, gap="xsmall"):
        st.image(view.picture, width="stretch", alt=f"{title}: graded {label}")
        st.caption(f"**{title}**  \n{as_markdown(label)}, {_score(view)}")


def _score(view: View) -> str:
    if view.freshness_score is None:
        return percent(view.confidence)
    return f"{100 * view.freshness_score:.0f} / 100"
