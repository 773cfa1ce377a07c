"""The service now and in the last hours: what it graded, how fast, with which version."""

from collections.abc import Sequence

import cached_api
import streamlit as st
from api_models import EngineInfo, Latency, ModelChange, ModelSummary, Summary
from charts.service import Span, class_mix, mean_confidence, version_timeline
from errors import ApiError
from formatting import duration, format_time, humanize, percent, pluralize, promotion_label
from plain_text import as_markdown
from streamlit.delta_generator import DeltaGenerator
from timezone import local

from components.display import chart
from components.messages import empty_state, show_fragment_error


@st.fragment(run_every="5s")
def service_metrics(hours: float) -> None:
    """The service now, and the last `hours`; refreshes itself."""
    try:
        health, info = cached_api.api().health(), cached_api.api().model_info()
        status, summary = cached_api.api().status(), cached_api.monitoring_summary(hours)
    except ApiError as error:
        show_fragment_error(error, rejected="The numbers are not available")
        return
    with _row():
        st.metric("Up for", duration(health.uptime_seconds), width="content")
        st.metric("Predictions", f"{summary.predictions:,}", width="content")
        st.metric(
            "Failed requests",
            f"{summary.failed_requests:,}",
            help="Answered with a server error since the service started; it should be 0.",
            width="content",
        )
    _model(info.model_info)
    if info.model_problem:
        st.warning(info.model_problem, icon=":material/broken_image:")
    for problem in (status.storage_problem, status.recording_problem):
        if problem:
            st.warning(problem, icon=":material/hard_drive:")
    if summary.predictions:
        _latency(summary.latency, info.engine)
        _over_time(summary)
    else:
        empty_state(
            "monitoring",
            "Nothing graded in this time",
            "Grade a photo on the Predict page, or choose a longer time above.",
        )
    _timeline(summary)


def spans(changes: Sequence[ModelChange], summary: Summary) -> list[Span]:
    """When each version was in use, oldest first, up to the end of the summary."""
    oldest_first = sorted(changes, key=lambda change: change.at)
    ends = [*(change.at for change in oldest_first[1:]), summary.until]
    return [
        Span(change.version, local(change.at), local(end), promotion_label(change.kind).lower())
        for change, end in zip(oldest_first, ends, strict=True)
    ]


def _row() -> DeltaGenerator:
    """Metrics side by side, or stacked on a narrow screen."""
    return st.container(horizontal=True, gap="medium")


def _model(model: ModelSummary | None) -> None:
    if model is None:
        st.warning("No model is loaded. Train one: `make train`.", icon=":material/warning:")
        return
    parts = [f"Version `{model.version or 'unknown'}` is in use"]
    if model.champion_since:
        parts.append(f"since {format_time(local(model.champion_since))}")
    if model.architecture:
        parts.append(f"on {humanize(model.architecture)}")
    if model.classes:
        parts.append(f"with {pluralize(len(model.classes), 'class')}")
    st.write(f"{' '.join(parts)}.")


def _latency(latency: Latency | None, engine: EngineInfo | None) -> None:
    if latency is None:
        return
    st.subheader("Time to grade one photo", anchor=False)
    with _row():
        st.metric("Half within", f"{latency.p50_ms:.0f} ms", width="content")
        st.metric("95 % within", f"{latency.p95_ms:.0f} ms", width="content")
        st.metric("99 % within", f"{latency.p99_ms:.0f} ms", width="content")
    place = f" on {engine.processor}" if engine and engine.processor else ""
    st.caption(
        as_markdown(
            f"From photo to grade inside the service{place}, without the network; of the newest "
            f"{pluralize(latency.sample_size, 'prediction')} in the time chosen."
        )
    )


def _over_time(summary: Summary) -> None:
    starts = [local(item.start) for item in summary.slices]
    width = duration(summary.slice_seconds)
    unrecognised = sum(item.unrecognised for item in summary.slices)
    st.subheader("What was graded", anchor=False)
    chart(
        class_mix(starts, [item.by_class for item in summary.slices], summary.slice_seconds),
        "class-mix",
        f"Predictions by class over time; {summary.predictions:,} in all.",
    )
    st.caption(
        f"One bar for each {width}. Not recognised: {percent(unrecognised / summary.predictions)}."
    )
    st.subheader("How sure the model was", anchor=False)
    means = [item.mean_confidence for item in summary.slices]
    last = next(mean for mean in reversed(means) if mean is not None)
    chart(
        mean_confidence(starts, means, summary.slice_seconds),
        "confidence",
        f"Mean confidence over time; most recently {percent(last)}.",
    )
    st.caption(f"Mean confidence of each {width}; a gap where nothing was graded.")


def _timeline(summary: Summary) -> None:
    in_use = spans(summary.model_changes, summary)
    if not in_use:
        return
    st.subheader("Which version was in use when", anchor=False)
    listed = ", ".join(f"{span.version} from {format_time(span.start)}" for span in in_use)
    chart(version_timeline(in_use), "timeline", f"Versions over time: {listed}.")
