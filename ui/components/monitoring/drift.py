"""Whether what comes in has changed: each drift figure against its threshold."""

import loaders
import streamlit as st
from charts.thresholds import threshold_bar
from clock import local
from problems import ApiProblem
from resources.monitoring import Drift, DriftFigure
from words import counted, sentence, spaced, when

from components.messages import trouble
from components.plots import chart

_DRIFT = {
    "embeddings": "How the photographs look",
    "confidence": "How sure the model is",
    "class_mix": "Mix of classes",
}


@st.fragment(run_every="30s")
def drift_figures() -> None:
    """Each drift figure against its threshold, in words; refreshes itself."""
    st.header("Drift", anchor=False)
    try:
        drift = loaders.drift()
    except ApiProblem as problem:
        trouble(problem, refused="The drift cannot be told")
        return
    st.write(
        f"{_drifted(drift)} Compared: the newest predictions of the last seven days with the "
        f"test photographs of version `{drift.model_version}`."
    )
    for figure in drift.figures:
        _drift(figure)


def _drifted(drift: Drift) -> str:
    if drift.drifted:
        return "**What comes in has changed: it may be time to retrain.**"
    if any(figure.enough for figure in drift.figures):
        return "**What comes in is like what the model was measured on.**"
    return "**Too little was graded yet to tell.**"


def _drift(figure: DriftFigure) -> None:
    title = _DRIFT.get(figure.name, sentence(spaced(figure.name)))
    with st.container(border=True, key=f"drift-{figure.name}"):
        if figure.drifted:
            st.warning(f"**{title}**: {figure.sentence}", icon=":material/warning:")
        else:
            st.write(f"**{title}**: {figure.sentence}")
        if figure.value is not None and figure.threshold:
            against = f"{figure.value:.3g}, threshold {figure.threshold:.3g}"
            chart(
                threshold_bar(figure.value, figure.threshold),
                f"bar-{figure.name}",
                f"{title}: {against}.",
            )
            st.caption(
                f"{against} · {counted(figure.sample_size, 'prediction')} against "
                f"{counted(figure.reference_size, 'test photograph')}"
                + (f", since {when(local(figure.since))}" if figure.since else "")
            )
