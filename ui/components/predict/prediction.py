"""One graded photo: its grade, the photo or heat map, and the probabilities."""

from base64 import b64decode

import cached_api
import state
import streamlit as st
from api_models import HistoryItem, Instance, Prediction
from charts.bars import probability_bars
from formatting import class_label, describe_limits, level_label, percent, short_grade
from photos import Photo
from plain_text import as_markdown

from components.display import chart
from components.predict.feedback import feedback

UNKNOWN = "Not one of the fruits that I know"


def heading(prediction: Prediction) -> str:
    """The grade: "Fresh apple", or "Apple, past its best"."""
    return short_grade(prediction) if prediction.recognised else UNKNOWN


def prediction_card(
    photo: Photo, prediction: Prediction, item: HistoryItem | None = None, *, ask: bool = True
) -> None:
    """The grade beside the photo, and below it, with `ask`, the question whether it is right.
    `item` is the prediction's row in the history.
    """
    # The grade comes first: on a phone the columns stack, and neither the grade nor the buttons to
    # answer it may need scrolling.
    grade, image = st.columns([3, 2], gap="medium")
    with grade:
        st.header(as_markdown(heading(prediction)), anchor=False)
        if prediction.recognised:
            # The sentence below already says how sure the grader is.
            scores(prediction, with_confidence=bool(prediction.several))
        if prediction.several:
            st.write("This is the grade of the whole photo, as if it showed one fruit.")
        else:
            st.write(as_markdown(prediction.interpretation))
        if ask:
            feedback(prediction, item)
    with image:
        _image(photo, prediction)
        shown = st.toggle(
            "Show where the grader looked",
            key=state.HEAT_MAP,
            persist_state="session",
        )
        if shown and prediction.explanation is None:
            st.caption("The heat map is not available right now.")
        elif shown:
            st.caption(
                ":blue[■] The bluer a place, the more it counted for the grade. Blue is not damage."
            )


def probabilities(prediction: Prediction) -> None:
    """The probability of each class, and the model that gave it."""
    known = prediction.recognised
    st.subheader("Probability of each class" if known else "Closest classes", anchor=False)
    chart(
        probability_bars(prediction.probabilities, prediction.predicted_class if known else None),
        "probabilities",
        f"Probability of each class; the most likely is "
        f"{class_label(prediction.predicted_class)} with {percent(prediction.confidence)}.",
    )
    st.caption(
        f"Model {as_markdown(prediction.model_version)} · {prediction.inference_time_ms:.0f} ms"
    )


def _image(photo: Photo, prediction: Prediction) -> None:
    title = heading(prediction)
    if st.session_state.get(state.HEAT_MAP) and prediction.explanation:
        _, _, encoded = prediction.explanation.heatmap.partition(",")
        alt = f"{photo.name}: where the grader looked. {title}"
        st.image(b64decode(encoded), width="stretch", alt=alt)
    elif (small := cached_api.preview(photo.data)) is not None:
        st.image(small, width="stretch", alt=f"{photo.name}: {title}")
    else:
        st.info(
            f"{as_markdown(photo.name)} was graded, but this kind of photo cannot be shown here.",
            icon=":material/hide_image:",
        )


def scores(prediction: Prediction | Instance, *, with_confidence: bool = True) -> None:
    """Confidence, freshness score and level."""
    with st.container(horizontal=True, gap="medium"):
        if with_confidence:
            st.metric(
                "Confidence",
                percent(prediction.confidence),
                help="How sure the model is of this class, among all classes that it knows.",
                width="content",
            )
        if prediction.freshness_score is not None:
            st.metric(
                "Freshness score",
                f"{prediction.freshness_score * 100:.0f} / 100",
                help="100 is certainly fresh, 0 certainly rotten, for every fruit.",
                width="content",
            )
        if prediction.freshness_level is not None:
            st.metric(
                "Level",
                level_label(prediction.freshness_level),
                help="By the freshness score; its limits are on the Retrain page, those of single "
                "fruits in the Model report.",
                width="content",
            )
    if used := prediction.freshness_thresholds:
        st.caption(describe_limits(used.rotten_below, used.fresh_from))
