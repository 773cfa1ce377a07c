"""Drift: whether the photos have changed, each metric against its limit."""

import cached_api
import streamlit as st
from api_models import Drift, DriftFigure
from charts.bars import threshold_bar
from errors import ApiError
from formatting import capitalize, format_time, humanize, pluralize
from plain_text import as_markdown
from timezone import local

from components.messages import show_fragment_error

_TITLES = {
    "embeddings": "How the photos look",
    "confidence": "How sure the model is",
    "class_mix": "Mix of classes",
}


@st.fragment(run_every="30s")
def drift_metrics() -> None:
    """Each drift metric against its limit; refreshes itself."""
    st.header("Drift", anchor=False)
    try:
        drift = cached_api.drift()
    except ApiError as error:
        show_fragment_error(error, rejected="The drift is not available")
        return
    st.write(
        f"{_summary(drift)} Once a day the newest predictions of seven days are compared with the "
        f"test photos of version `{drift.model_version}`; by chance alone the photos seem changed "
        "on one day in a thousand."
    )
    for figure in drift.figures:
        _metric(figure)


def _summary(drift: Drift) -> str:
    if drift.drifted:
        return "**The photos have changed: it may be time to retrain.**"
    if any(figure.enough for figure in drift.figures):
        return "**The photos are like those that the model was measured on.**"
    return "**Too few photos were graded yet to tell.**"


def _metric(figure: DriftFigure) -> None:
    title = _TITLES.get(figure.name, capitalize(humanize(figure.name)))
    sentence = as_markdown(figure.sentence)
    with st.container(border=True, key=f"drift-{figure.name}"):
        if figure.drifted:
            st.warning(f"**{title}**: {sentence}", icon=":material/warning:")
        else:
            st.write(f"**{title}**: {sentence}")
        if figure.value is not None and figure.threshold:
            against = f"{figure.value:.3g}, limit {figure.threshold:.3g}"
            st.html(threshold_bar(figure.value, figure.threshold, f"{title}: {against}."))
            st.caption(
                f"{against} · {pluralize(figure.sample_size, 'prediction')} against "
                f"{pluralize(figure.reference_size, 'test photo')}"
                + (f", since {format_time(local(figure.since))}" if figure.since else "")
            )
