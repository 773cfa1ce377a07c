"""Parts that pages are made of."""

import loaders
import plotly.graph_objects as go
import streamlit as st
from answers import Prediction
from charts.predictions import probability_bars
from photos import Photo
from problems import ApiProblem
from words import class_words, percent, sentence

UNKNOWN = "Not one of the fruits that I know"
_LOOK_AGAIN = "3s"
# The grey that Streamlit gives the writing of charts is too faint for small type.
_READABLE = '<style>[class*="st-key-chart-"] text { fill: currentColor !important; }</style>'
_READABLE_CHART = "<style>.st-key-probabilities text { fill: currentColor !important; }</style>"


def heading(prediction: Prediction) -> str:
    """The grade in words: "Fresh apple"."""
    if not prediction.recognised:
        return UNKNOWN
    if prediction.fruit and prediction.freshness:
        return sentence(f"{prediction.freshness} {prediction.fruit}")
    return class_words(prediction.predicted_class)


def prediction_card(photo: Photo, prediction: Prediction) -> None:
    """The grade beside the picture, then every class with its probability."""
    with st.container(key="prediction"):
        # The grade comes first: on a phone the columns stack, and it must not need scrolling.
        grade, picture = st.columns([3, 2], gap="medium")
        with grade:
            st.header(heading(prediction), anchor=False)
            if prediction.recognised:
                _figures(prediction)
            st.write(prediction.interpretation)
        with picture:
            _picture(photo, heading(prediction))
        _probabilities(prediction)
        st.caption(f"Model {prediction.model_version} · {prediction.inference_time_ms:.0f} ms")


def problem_message(problem: ApiProblem, *, refused: str) -> None:
    """What went wrong and what to do. Goes on by itself after an outage of the whole service.

    `refused` is the title where the service works but turned the request down.
    """
    if not problem.passing:
        st.error(f"**{refused}**\n\n{problem.detail}", icon=":material/error:")
    elif away := loaders.health_problem():
        api_away(away)
    else:
        st.error(f"**{problem.title}**\n\n{problem.detail}", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")


@st.fragment(run_every=_LOOK_AGAIN)
def api_away(problem: ApiProblem) -> None:
    """Say that the API is away, look every few seconds, and rerun the page once it is back."""
    if loaders.health_problem() is None:
        st.rerun()
    _waiting(problem)


def trouble(problem: ApiProblem, *, refused: str) -> None:
    """A problem inside a fragment that refreshes itself, and so recovers by itself."""
    if problem.passing:
        _waiting(problem)
    else:
        st.error(f"**{refused}**\n\n{problem.detail}", icon=":material/error:")


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart without tools, its writing readable on light and dark."""
    with st.container(key=f"chart-{key}"):
        st.html(_READABLE)
        st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def empty_state(icon: str, title: str, hint: str) -> None:
    """Say what is not there yet and what to do next. `icon` is a Material icon's name."""
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.space("small")
        st.markdown(f"### :material/{icon}: {title}", text_alignment="center")
        st.markdown(hint, text_alignment="center")
        st.space("small")


def _waiting(problem: ApiProblem) -> None:
    st.warning(
        f"**{problem.title}**\n\n{problem.detail}\n\nThis page goes on by itself as soon as the "
        "service answers.",
        icon=":material/cloud_off:",
    )


def _picture(photo: Photo, words: str) -> None:
    small = loaders.preview(photo.data)
    if small is None:
        st.info(
            f"{photo.name} was graded, but this kind of picture cannot be shown here.",
            icon=":material/hide_image:",
        )
    else:
        st.image(small, width="stretch", alt=f"{photo.name}: {words}")


def _figures(prediction: Prediction) -> None:
    confidence, freshness = st.columns(2, wrap=False)
    confidence.metric(
        "Confidence",
        percent(prediction.confidence),
        help="How sure the model is of this class, among all that it knows.",
    )
    if prediction.freshness_score is not None:
        freshness.metric(
            "Freshness score",
            f"{prediction.freshness_score * 100:.0f} / 100",
            help="100 is surely fresh, 0 surely rotten, whichever fruit it is.",
        )


def _probabilities(prediction: Prediction) -> None:
    known = prediction.recognised
    st.subheader("Probability of each class" if known else "What it comes closest to", anchor=False)
    st.html(_READABLE_CHART)
    st.plotly_chart(
        probability_bars(prediction.probabilities, prediction.predicted_class if known else None),
        key="probabilities",
        config={"displayModeBar": False},
        alt=f"Bars of each class's probability; the likeliest is "
        f"{class_words(prediction.predicted_class)} with {percent(prediction.confidence)}.",
    )
