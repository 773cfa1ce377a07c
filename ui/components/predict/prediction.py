"""One graded photograph: its grade, picture, heat map and probabilities."""

from base64 import b64decode

import loaders
import state
import streamlit as st
from answers import Prediction
from charts.predictions import probability_bars
from photos import Photo
from words import class_words, level_words, percent, sentence

from components.plots import chart

UNKNOWN = "Not one of the fruits that I know"


def heading(prediction: Prediction) -> str:
    """The grade in words: "Fresh apple", or "Apple, past its best"."""
    if not prediction.recognised:
        return UNKNOWN
    # Only where the class says that it is sound: a correction is about the class.
    if prediction.fruit and prediction.freshness == "fresh" and _is_past_best(prediction):
        return sentence(f"{prediction.fruit}, {level_words('past_best').lower()}")
    if prediction.fruit and prediction.freshness:
        return sentence(f"{prediction.freshness} {prediction.fruit}")
    return class_words(prediction.predicted_class)


def prediction_card(photo: Photo, prediction: Prediction) -> None:
    """The grade beside the picture, then every class with its probability."""
    # The grade comes first: on a phone the columns stack, and it must not need scrolling.
    grade, picture = st.columns([3, 2], gap="medium")
    with grade:
        st.header(heading(prediction), anchor=False)
        if prediction.recognised:
            _figures(prediction)
        st.write(prediction.interpretation)
    with picture:
        _picture(photo, prediction)
        shown = st.toggle(
            "Show where the grader looked",
            key=state.HEAT_MAP,
            help="The redder a place, the more it speaks for this class.",
            persist_state="session",
        )
        if shown and prediction.explanation is None:
            st.caption("The heat map cannot be had just now.")


def probabilities(prediction: Prediction) -> None:
    """Every class with its probability, and which model says so."""
    known = prediction.recognised
    st.subheader("Probability of each class" if known else "What it comes closest to", anchor=False)
    chart(
        probability_bars(prediction.probabilities, prediction.predicted_class if known else None),
        "probabilities",
        f"Bars of each class's probability; the likeliest is "
        f"{class_words(prediction.predicted_class)} with {percent(prediction.confidence)}.",
    )
    st.caption(f"Model {prediction.model_version} · {prediction.inference_time_ms:.0f} ms")


def _is_past_best(prediction: Prediction) -> bool:
    return prediction.freshness_level == "past_best"


def _picture(photo: Photo, prediction: Prediction) -> None:
    words = heading(prediction)
    if st.session_state.get(state.HEAT_MAP) and prediction.explanation:
        _, _, encoded = prediction.explanation.heatmap.partition(",")
        alt = f"{photo.name}: where the grader looked. {words}"
        st.image(b64decode(encoded), width="stretch", alt=alt)
    elif (small := loaders.preview(photo.data)) is not None:
        st.image(small, width="stretch", alt=f"{photo.name}: {words}")
    else:
        st.info(
            f"{photo.name} was graded, but this kind of picture cannot be shown here.",
            icon=":material/hide_image:",
        )


def _figures(prediction: Prediction) -> None:
    with st.container(horizontal=True, gap="medium"):
        st.metric(
            "Confidence",
            percent(prediction.confidence),
            help="How sure the model is of this class, among all that it knows.",
            width="content",
        )
        if prediction.freshness_score is not None:
            st.metric(
                "Freshness score",
                f"{prediction.freshness_score * 100:.0f} / 100",
                help="100 is surely fresh, 0 surely rotten, whichever fruit it is.",
                width="content",
            )
        if prediction.freshness_level is not None:
            st.metric(
                "Level",
                level_words(prediction.freshness_level),
                help="By the freshness score. The page Retrain says where the line is drawn.",
                width="content",
            )
