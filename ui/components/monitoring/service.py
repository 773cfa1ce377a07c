"""How the service is and was: what it graded, how fast, by which version."""

from collections.abc import Sequence

import loaders
import streamlit as st
from answers import Model
from charts.service import Span, class_mix, mean_confidence, version_timeline
from clock import local
from problems import ApiProblem
from resources.monitoring import Latency, ModelChange, Summary
from streamlit.delta_generator import DeltaGenerator
from words import counted, duration, kind_in_words, percent, spaced, when

from components.messages import empty_state, trouble
from components.plots import chart

_REFUSED = "The figures cannot be told"


@st.fragment(run_every="5s")
def service_figures(hours: float) -> None:
    """The service now, and the last `hours`; refreshes itself."""
    try:
        health, info = loaders.api().health(), loaders.api().model_info()
        summary = loaders.summary(hours)
    except ApiProblem as problem:
        trouble(problem, refused=_REFUSED)
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
        empty_state(
            "monitoring",
            "Nothing graded in this time",
            "Grade a photograph on the page Predict, or choose a longer time above.",
        )
    _timeline(summary)


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
    chart(
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
    chart(
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
    chart(version_timeline(served), "timeline", f"Versions over time: {told}.")
