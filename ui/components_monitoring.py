"""Parts of the Monitoring page: how the service is, what it graded, what has drifted."""

from collections.abc import Sequence

import components
import loaders
import streamlit as st
from answers import Model
from charts.service import Span, class_mix, mean_confidence, version_timeline
from charts.thresholds import threshold_bar
from clock import local
from components_versions import kind_in_words
from problems import ApiProblem
from resources.monitoring import Drift, DriftFigure, Latency, ModelChange, Summary
from streamlit.delta_generator import DeltaGenerator
from words import counted, duration, percent, sentence, spaced, when

_REFUSED = "The figures cannot be told"
_DRIFT = {
    "embeddings": "How the photographs look",
    "confidence": "How sure the model is",
    "class_mix": "Mix of classes",
}


@st.fragment(run_every="5s")
def service_figures(hours: float) -> None:
    """The service now, and the last `hours`; refreshes itself."""
    try:
        health, info = loaders.api().health(), loaders.api().model_info()
        summary = loaders.summary(hours)
    except ApiProblem as problem:
        components.trouble(problem, refused=_REFUSED)
        return
    with _row():
        st.metric("Up for", duration(health.uptime_seconds), width="content")
        st.metric("Predictions", f"{summary.predictions:,}", width="content")
        st.metric(
            "Failed requests",
            f"{summary.failed_requests:,}",
            help="Answered with a server error since the service started; 0 is as it should be.",
            width="content",
        )
    _serving(info.model_info)
    if summary.predictions:
        _latency(summary.latency)
        _over_time(summary)
    else:
        components.empty_state(
            "monitoring",
            "Nothing graded in this time",
            "Grade a photograph on the page Predict, or choose a longer time above.",
        )
    _timeline(summary)


@st.fragment(run_every="30s")
def drift_figures() -> None:
    """Each drift figure against its threshold, in words; refreshes itself."""
    st.header("Drift", anchor=False)
    try:
        drift = loaders.drift()
    except ApiProblem as problem:
        components.trouble(problem, refused="The drift cannot be told")
        return
    st.write(
        f"{_drifted(drift)} Compared: the newest predictions of the last seven days with the "
        f"test photographs of version `{drift.model_version}`."
    )
    for figure in drift.figures:
        _drift(figure)


def spans(changes: Sequence[ModelChange], summary: Summary) -> list[Span]:
    """When which version served, the oldest first, up to the end of the summary."""
    oldest_first = sorted(changes, key=lambda change: change.at)
    ends = [*(change.at for change in oldest_first[1:]), summary.until]
    return [
        Span(change.version, local(change.at), local(end), kind_in_words(change.kind).lower())
        for change, end in zip(oldest_first, ends, strict=True)
    ]


def _row() -> DeltaGenerator:
    """Metrics beside each other, and below each other where the screen is narrow."""
    return st.container(horizontal=True, gap="medium")


def _serving(model: Model | None) -> None:
    if model is None:
        st.warning("No model is loaded. Train one: `make train`.", icon=":material/warning:")
        return
    parts = [f"Version `{model.version or 'unknown'}` serves"]
    if model.champion_since:
        parts.append(f"since {when(local(model.champion_since))}")
    if model.architecture:
        parts.append(f"on {spaced(model.architecture)}")
    if model.classes:
        parts.append(f"with {counted(len(model.classes), 'class')}")
    st.write(f"{' '.join(parts)}.")


def _latency(latency: Latency | None) -> None:
    if latency is None:
        return
    st.subheader("Time to grade one photograph", anchor=False)
    with _row():
        st.metric("Half within", f"{latency.p50_ms:.0f} ms", width="content")
        st.metric("95 % within", f"{latency.p95_ms:.0f} ms", width="content")
        st.metric("99 % within", f"{latency.p99_ms:.0f} ms", width="content")
    st.caption(
        "From photograph to grade inside the service, without the network; of the newest "
        f"{counted(latency.sample_size, 'prediction')} in the time chosen."
    )


def _over_time(summary: Summary) -> None:
    starts = [local(item.start) for item in summary.slices]
    width = duration(summary.slice_seconds)
    st.subheader("What was graded", anchor=False)
    components.chart(
        class_mix(starts, [item.by_class for item in summary.slices], summary.slice_seconds),
        "class-mix",
        f"Bars of predictions by class over time; {summary.predictions:,} in all.",
    )
    st.caption(
        f"One bar for each {width}. Not recognised as anything known: "
        f"{percent(summary.unrecognised / summary.predictions)}."
    )
    st.subheader("How sure the model was", anchor=False)
    means = [item.mean_confidence for item in summary.slices]
    last = next(mean for mean in reversed(means) if mean is not None)
    components.chart(
        mean_confidence(starts, means, summary.slice_seconds),
        "confidence",
        f"Line of the mean confidence over time; lately {percent(last)}.",
    )
    st.caption(f"Mean confidence of each {width}; a gap where nothing was graded.")


def _timeline(summary: Summary) -> None:
    served = spans(summary.model_changes, summary)
    if not served:
        return
    st.subheader("Which version served when", anchor=False)
    told = ", ".join(f"{span.version} from {when(span.start)}" for span in served)
    components.chart(version_timeline(served), "timeline", f"Versions over time: {told}.")


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
            components.chart(
                threshold_bar(figure.value, figure.threshold),
                f"bar-{figure.name}",
                f"{title}: {against}.",
            )
            st.caption(
                f"{against} · {counted(figure.sample_size, 'prediction')} against "
                f"{counted(figure.reference_size, 'test photograph')}"
                + (f", since {when(local(figure.since))}" if figure.since else "")
            )
